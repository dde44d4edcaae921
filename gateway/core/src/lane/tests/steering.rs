//! Holds, pauses, the breaker, rates: what steers a whole destination.

use std::time::Duration;

use super::*;
use crate::limits;

#[test]
fn a_paused_destination_starts_nothing_then_probes_with_one() {
    let mut lanes = lanes(SETTINGS);
    for id in 1..=3 {
        lanes.add(ticket(id, &format!("lane {id}")), NOW);
    }
    assert!(lanes.pause(&destination(), LATER));
    assert!(started(&mut lanes, NOW).is_empty());
    assert_eq!(lanes.wake_at(), Some(LATER));
    assert_eq!(started(&mut lanes, LATER), [1]);
    settle(&mut lanes, "lane 1", 1, Next::Finished);
    assert_eq!(started(&mut lanes, LATER), [2], "still one at a time");
    assert!(lanes.reached(&destination(), LATER));
    assert_eq!(started(&mut lanes, LATER), [3]);
    assert!(!lanes.reached(&destination(), LATER), "the pause is over already");
}

#[test]
fn nothing_goes_beside_a_probe_before_its_outcome_is_recorded() {
    let mut lanes = with_lanes(4, SETTINGS);
    lanes.pause(&destination(), LATER);
    assert_eq!(started(&mut lanes, LATER), [1]);
    lanes.ended(&lane("lane 1"), id(1), 0);
    assert_eq!((started(&mut lanes, LATER), lanes.wake_at()), (vec![], None));
    settle(&mut lanes, "lane 1", 1, Next::Finished);
    assert_eq!(started(&mut lanes, LATER), [2]);
}

#[test]
fn a_probe_waits_for_what_was_on_its_way_before() {
    let mut lanes = with_lanes(2, LaneSettings { concurrency: 1, ..SETTINGS });
    assert_eq!(started(&mut lanes, NOW), [1]);
    lanes.pause(&destination(), LATER);
    lanes.ended(&lane("lane 1"), id(1), 0);
    assert!(started(&mut lanes, LATER).is_empty());
    settle(&mut lanes, "lane 1", 1, Next::Finished);
    assert_eq!(started(&mut lanes, LATER), [2]);
}

#[test]
fn of_two_pauses_the_longer_one_counts() {
    let mut lanes = lanes(SETTINGS);
    assert!(lanes.pause(&destination(), LATER));
    assert!(!lanes.pause(&destination(), NOW));
    assert_eq!(lanes.load(&destination()).unwrap().paused_until, Some(LATER));
}

#[test]
fn other_settings_end_the_pause_of_settings_that_do_not_work_and_no_other() {
    let mut lanes = with_lanes(2, SETTINGS);
    lanes.pause(&destination(), LATER);
    lanes.mended(&destination());
    assert_eq!(
        (started(&mut lanes, NOW), gate(&lanes)),
        (vec![], GateState::Paused),
        "the remote side asked for it"
    );
    assert!(!lanes.pause_until_mended(&destination(), LATER), "the one that stands lasts as long");
    let longer = LATER.plus(Duration::from_secs(1));
    assert!(lanes.pause_until_mended(&destination(), longer));
    assert_eq!((started(&mut lanes, LATER), gate(&lanes)), (vec![], GateState::Paused));
    lanes.mended(&destination());
    assert_eq!(started(&mut lanes, LATER), [1], "one goes first");
}

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn gate(lanes: &Lanes) -> GateState {
    lanes.load(&destination()).unwrap().gate
}

fn with_lanes(count: i64, settings: LaneSettings) -> Lanes {
    let mut lanes = lanes(settings);
    for id in 1..=count {
        lanes.add(ticket(id, &format!("lane {id}")), NOW);
    }
    lanes
}

/// Lets the next delivery fail; gives its id and the next probe.
fn fail(lanes: &mut Lanes, now: Timestamp, asked: bool) -> Option<(i64, Option<Timestamp>)> {
    let ticket = lanes.start(now)?;
    let probe = lanes.failed(&ticket.lane, ticket.id, now);
    let due = now.plus(Duration::from_secs(3600));
    let next = Next::Again { due, attempts: ticket.attempts + 1, asked };
    assert_eq!(lanes.settle(&ticket.lane, ticket.id, next), []);
    Some((ticket.id.get(), probe))
}

#[test]
fn a_destination_that_keeps_failing_is_probed_with_one_at_a_time() {
    let mut lanes = with_lanes(20, SETTINGS);
    for id in 1..=4 {
        assert_eq!(fail(&mut lanes, NOW, false), Some((id, None)));
    }
    assert_eq!(fail(&mut lanes, NOW, false), Some((5, Some(at(5)))));
    assert_eq!((gate(&lanes), lanes.wake_at()), (GateState::Breaker, Some(at(5))));
    assert_eq!(fail(&mut lanes, at(4), false), None);
    let mut now = at(5);
    let mut waits = Vec::new();
    for id in 6..=11 {
        let (probe, next) = fail(&mut lanes, now, false).unwrap();
        assert_eq!(probe, id, "each probe costs another delivery an attempt");
        assert!(started(&mut lanes, now).is_empty());
        let next = next.unwrap();
        waits.push(now.until(next).as_secs());
        now = next;
    }
    assert_eq!(waits, [10, 20, 40, 60, 60, 60]);
    assert_eq!(started(&mut lanes, now), [12]);
    assert!(lanes.reached(&destination(), now));
    assert_eq!(gate(&lanes), GateState::Open);
}

#[test]
fn recovery_drains_every_lane_but_those_that_were_asked_to_wait() {
    let mut lanes = with_lanes(7, SETTINGS);
    for asked in [false, true, false, false, false] {
        fail(&mut lanes, NOW, asked);
    }
    assert_eq!(started(&mut lanes, at(5)), [6]);
    settle(&mut lanes, "lane 6", 6, Next::Finished);
    assert!(lanes.reached(&destination(), at(5)));
    let mut due = started(&mut lanes, at(5));
    due.sort_unstable();
    assert_eq!(due, [1, 3, 4, 5, 7]);
}

#[test]
fn one_delivery_that_fails_for_ever_never_opens_the_breaker() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "bad"), NOW);
    for attempt in 0..50 {
        let now = at(attempt * 3600);
        assert_eq!(fail(&mut lanes, now, false), Some((1, None)));
    }
    assert_eq!(gate(&lanes), GateState::Open);
}

#[test]
fn a_lane_that_fails_while_others_succeed_never_opens_the_breaker() {
    let mut lanes = with_lanes(50, SETTINGS);
    for _ in 0..25 {
        assert_eq!(fail(&mut lanes, NOW, false).unwrap().1, None);
        let ticket = lanes.start(NOW).unwrap();
        assert!(!lanes.reached(&destination(), NOW));
        assert_eq!(lanes.settle(&ticket.lane, ticket.id, Next::Finished), []);
    }
    assert_eq!(gate(&lanes), GateState::Open);
}

#[test]
fn a_probe_never_goes_before_its_delivery_is_due() {
    let mut lanes = with_lanes(5, SETTINGS);
    for _ in 0..5 {
        fail(&mut lanes, NOW, false);
    }
    assert_eq!(lanes.wake_at(), Some(at(3600)), "the budget of a delivery lasts as long as it should");
}

#[test]
fn deliveries_that_were_in_flight_when_the_breaker_opened_do_not_lengthen_its_wait() {
    let mut lanes = with_lanes(8, SETTINGS);
    assert_eq!(started(&mut lanes, NOW).len(), 8);
    let opened: Vec<_> = (1..=8).map(|n| lanes.failed(&lane(&format!("lane {n}")), id(n), NOW)).collect();
    assert_eq!(opened.iter().flatten().collect::<Vec<_>>(), [&at(5)]);
}

#[test]
fn a_person_holds_a_destination_and_resumes_it_with_a_probe() {
    let mut lanes = with_lanes(3, SETTINGS);
    lanes.hold(&destination(), true);
    assert_eq!((started(&mut lanes, NOW), gate(&lanes), lanes.wake_at()), (vec![], GateState::Held, None));
    lanes.pause(&destination(), at(3600));
    lanes.hold(&destination(), false);
    assert_eq!(started(&mut lanes, NOW), [1], "the pause is over too, and one goes first");
    assert!(lanes.reached(&destination(), NOW));
    assert_eq!(started(&mut lanes, NOW), [2, 3]);
}

#[test]
fn a_hold_that_is_taken_back_leaves_a_pause_as_it_was() {
    let mut lanes = with_lanes(1, SETTINGS);
    lanes.pause(&destination(), at(60));
    lanes.hold(&destination(), true);
    lanes.undo_hold(&destination());
    assert_eq!((gate(&lanes), lanes.wake_at()), (GateState::Paused, Some(at(60))));
    assert!(started(&mut lanes, at(59)).is_empty());
    assert_eq!(started(&mut lanes, at(60)), [1]);
}

#[test]
fn a_schedule_closes_a_destination_until_its_moment() {
    let mut lanes = with_lanes(1, SETTINGS);
    lanes.close_until(&destination(), Some(at(60)));
    assert_eq!((started(&mut lanes, NOW), gate(&lanes)), (vec![], GateState::Closed));
    assert_eq!(lanes.wake_at(), Some(at(60)));
    assert_eq!(started(&mut lanes, at(60)), [1]);
    assert_eq!(gate(&lanes), GateState::Open);
}

#[test]
fn a_rate_limit_spreads_starts_and_says_when_the_next_may_go() {
    let mut lanes = with_lanes(30, LaneSettings { concurrency: 99, starts_per_second: Some(10), ..SETTINGS });
    assert_eq!(started(&mut lanes, NOW).len(), 10, "what a quiet second allows");
    let next = lanes.wake_at().unwrap();
    assert_eq!(NOW.until(next), Duration::from_millis(100));
    assert_eq!(started(&mut lanes, next), [11]);
    assert_eq!(started(&mut lanes, next.plus(Duration::from_millis(500))).len(), 5);
}

#[test]
fn a_success_from_before_a_pause_does_not_end_it_but_closes_the_breaker() {
    let mut lanes = with_lanes(1, SETTINGS);
    lanes.pause(&destination(), LATER);
    assert!(!lanes.reached(&destination(), NOW));
    assert_eq!(gate(&lanes), GateState::Paused);
    let mut lanes = with_lanes(8, SETTINGS);
    started(&mut lanes, NOW);
    for n in 1..=limits::BREAKER_FAILURES {
        let n = i64::try_from(n).unwrap();
        lanes.failed(&lane(&format!("lane {n}")), id(n), NOW);
    }
    assert!(lanes.reached(&destination(), NOW), "the remote side answers");
}

#[test]
fn a_destination_in_a_wait_counts_every_reason() {
    let mut lanes = with_lanes(1, SETTINGS);
    lanes.pause(&destination(), at(10));
    lanes.close_until(&destination(), Some(at(20)));
    assert_eq!(lanes.wake_at(), Some(at(20)));
    assert!(started(&mut lanes, at(10)).is_empty());
    assert_eq!(started(&mut lanes, at(20)), [1]);
}
