//! Backlog policy `latest`: only the newest of a lane that is held up goes.

use super::*;

const LATEST: LaneSettings = LaneSettings { backlog: Backlog::Latest, ..SETTINGS };

#[test]
fn what_waits_behind_a_failed_head_is_superseded() {
    let mut lanes = lanes(LATEST);
    for id in 1..=3 {
        lanes.add(ticket(id, "a"), NOW);
    }
    assert_eq!(started(&mut lanes, NOW), [1]);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[1, 2]));
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(started(&mut lanes, NOW), [3], "the newest goes at once, with a budget of its own");
}

#[test]
fn a_waiting_head_is_superseded_when_a_newer_one_comes() {
    let mut lanes = lanes(LATEST);
    lanes.add(ticket(1, "a"), NOW);
    started(&mut lanes, NOW);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[]));
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(lanes.add(ticket(2, "a"), NOW), Added::Supersedes(ids(&[1])));
    assert!(started(&mut lanes, LATER).is_empty(), "not before the superseded one is recorded");
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn a_delivery_that_comes_while_the_failure_is_recorded_supersedes_the_failed_one() {
    let mut lanes = lanes(LATEST);
    lanes.add(ticket(1, "a"), NOW);
    started(&mut lanes, NOW);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[]));
    assert_eq!(lanes.add(ticket(2, "a"), NOW), Added::Queued);
    assert_eq!(lanes.settle(&lane("a"), id(1), AGAIN), ids(&[1]));
    assert_eq!(lanes.add(ticket(3, "a"), NOW), Added::Queued);
    assert!(started(&mut lanes, NOW).is_empty(), "1 is being recorded");
    assert_eq!(lanes.release(&lane("a")), ids(&[2]));
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [3]);
}

#[test]
fn what_is_delivered_once_more_takes_no_newer_ones_place() {
    let of =
        |id, event, repeats| Ticket { event: EventId::from_bytes([event; 16]), repeats, ..ticket(id, "a") };
    let mut lanes = lanes(LATEST);
    lanes.add(of(1, 5, false), NOW);
    started(&mut lanes, NOW);
    // An old one waits behind the failed head when that is recorded, another comes while it waits.
    lanes.add(of(2, 3, true), NOW);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[2]));
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(lanes.add(of(3, 4, true), NOW), Added::Supersedes(ids(&[3])));
    release(&mut lanes, "a");
    // One that is newer than what waits does, and so does what is new.
    assert_eq!(lanes.add(of(4, 6, true), NOW), Added::Supersedes(ids(&[1])));
    release(&mut lanes, "a");
    assert_eq!(lanes.add(of(5, 7, false), NOW), Added::Supersedes(ids(&[4])));
    release(&mut lanes, "a");
    // Where none repeats, the place counts and no clock.
    assert_eq!(lanes.add(of(6, 1, false), NOW), Added::Supersedes(ids(&[5])));
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [6]);
}

#[test]
fn a_healthy_lane_is_left_alone() {
    let mut lanes = lanes(LATEST);
    for id in 1..=3 {
        assert_eq!(lanes.add(ticket(id, "a"), NOW), Added::Queued);
    }
    for id in 1..=3 {
        assert_eq!(started(&mut lanes, NOW), [id]);
        settle(&mut lanes, "a", id, Next::Finished);
    }
}

/// What comes while the destination is shut makes the older ones of its lane superseded, and the newest goes afterwards.
#[track_caller]
fn check_only_the_newest_goes_after(shut: impl Fn(&mut Lanes), open: impl Fn(&mut Lanes)) {
    let mut lanes = lanes(LATEST);
    lanes.add(ticket(1, "a"), NOW);
    assert_eq!(started(&mut lanes, NOW), [1]);
    shut(&mut lanes);
    assert_eq!(lanes.add(ticket(2, "a"), NOW), Added::Queued);
    assert_eq!(lanes.add(ticket(3, "a"), NOW), Added::Queued);
    assert_eq!(lanes.settle(&lane("a"), id(1), Next::Finished), ids(&[2]), "1 was on its way before");
    release(&mut lanes, "a");
    assert_eq!(lanes.add(ticket(4, "b"), NOW), Added::Queued);
    assert_eq!(lanes.add(ticket(5, "a"), NOW), Added::Supersedes(ids(&[3])));
    release(&mut lanes, "a");
    assert!(started(&mut lanes, NOW).is_empty());
    open(&mut lanes);
    assert_eq!(started(&mut lanes, LATER), [4, 5]);
}

#[test]
fn only_the_newest_goes_after_a_persons_pause() {
    check_only_the_newest_goes_after(
        |lanes| lanes.hold(&destination(), true),
        |lanes| lanes.hold(&destination(), false),
    );
}

#[test]
fn only_the_newest_goes_when_the_schedule_opens() {
    check_only_the_newest_goes_after(
        |lanes| lanes.close_until(&destination(), Some(LATER)),
        |lanes| lanes.close_until(&destination(), None),
    );
}

/// The backlog is far larger than a window: none of it may go but the last.
#[track_caller]
fn check_only_the_last_goes(lanes: &mut Lanes, shelf: &mut Shelf, last: i64) {
    loop {
        let superseded = shelf.serve(lanes);
        if superseded.is_empty() {
            break;
        }
        assert!(started(lanes, LATER).is_empty());
        for (lane, mut ids) in superseded {
            while !ids.is_empty() {
                ids.iter().for_each(|id| assert!(shelf.waiting.remove(id).is_some()));
                ids = lanes.release(&lane);
            }
        }
    }
    assert_eq!(started(lanes, LATER), [last]);
    assert_eq!(shelf.waiting.len(), 1);
}

#[test]
fn a_backlog_larger_than_a_window_is_superseded_to_its_last() {
    let mut lanes = lanes(LATEST);
    let mut shelf = Shelf::of((1..=200).map(|id| ticket(id, "a")));
    for ticket in shelf.waiting.values() {
        lanes.add(ticket.clone(), NOW);
    }
    assert_eq!(started(&mut lanes, NOW), [1]);
    for id in lanes.hold_up(&lane("a")) {
        shelf.waiting.remove(&id);
    }
    settle(&mut lanes, "a", 1, AGAIN);
    check_only_the_last_goes(&mut lanes, &mut shelf, 200);
}

#[test]
fn a_lane_that_was_held_up_before_a_restart_still_is() {
    let mut shelf = Shelf::of((1..=200).map(|id| ticket(id, "a")));
    shelf.put(Ticket { attempts: 2, due: LATER, ..ticket(1, "a") });
    let mut lanes = Lanes::default();
    lanes.open(destination(), LATEST);
    check_only_the_last_goes(&mut lanes, &mut shelf, 200);
}
