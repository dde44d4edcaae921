//! Thousands of lanes that fail do not keep the others from going.

use std::time::Duration;

use super::*;
use crate::limits::TICKETS_MAX;

const BROKEN: i64 = 20_000;

fn at(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

fn is_broken(ticket: &Ticket) -> bool {
    ticket.lane.key.starts_with("broken")
}

/// More broken lanes than memory holds, each tried once and waiting for an hour.
fn many_broken_lanes() -> (Lanes, Shelf) {
    let mut lanes = lanes(SETTINGS);
    let mut shelf = Shelf::of((1..=BROKEN).map(|id| ticket(id, &format!("broken {id}"))));
    for ticket in shelf.waiting.values() {
        lanes.add(ticket.clone(), NOW);
    }
    let mut failed = 0;
    while failed < BROKEN {
        let _superseded = shelf.serve(&mut lanes);
        let ticket = lanes.start(NOW).unwrap();
        shelf.fail(&mut lanes, &ticket, at(3600));
        failed += 1;
    }
    assert!(lanes.destinations[0].places() <= TICKETS_MAX);
    (lanes, shelf)
}

#[test]
fn a_healthy_lane_goes_at_once_when_memory_is_full_of_broken_ones() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    let healthy = ticket(BROKEN + 1, "healthy");
    shelf.put(healthy.clone());
    lanes.add(healthy, NOW);
    let _superseded = shelf.serve(&mut lanes);
    assert_eq!(started(&mut lanes, NOW), [BROKEN + 1]);
}

#[test]
fn healthy_lanes_behind_broken_ones_in_the_store_go_after_a_restart() {
    let (_, mut shelf) = many_broken_lanes();
    for id in BROKEN + 1..=BROKEN + 100 {
        shelf.put(ticket(id, &format!("healthy {id}")));
    }
    let mut lanes = Lanes::default();
    lanes.open(destination(), LaneSettings { concurrency: 100, ..SETTINGS });
    assert!(lanes.start(NOW).is_none());
    let _superseded = shelf.serve(&mut lanes);
    assert_eq!(started(&mut lanes, NOW).len(), 100);
}

#[test]
fn healthy_lanes_behind_a_deep_backlog_of_broken_ones_go() {
    // Fewer broken lanes than one read brings, and more: each takes many places.
    for broken in [400, 600, 1000, 1100] {
        let deep = 24_000;
        let mut shelf = Shelf::of(
            (1..=deep).map(|id| Ticket { attempts: 1, ..ticket(id, &format!("broken {}", id % broken)) }),
        );
        for id in deep + 1..=deep + 20 {
            shelf.put(ticket(id, &format!("healthy {id}")));
        }
        let mut lanes = Lanes::default();
        lanes.open(destination(), SETTINGS);
        let (mut healthy, mut read) = (0, 0);
        while shelf.read > read || read == 0 {
            read = shelf.read;
            let _superseded = shelf.serve(&mut lanes);
            while let Some(ticket) = lanes.start(NOW) {
                if is_broken(&ticket) {
                    shelf.fail(&mut lanes, &ticket, at(3600));
                } else {
                    healthy += 1;
                    shelf.finish(&mut lanes, &ticket);
                }
            }
        }
        assert_eq!(healthy, 20, "behind {broken} broken lanes");
    }
}

/// Lanes of one delivery each that have never been tried; a clock that goes on between a start and an answer.
#[test]
fn first_attempts_that_are_read_are_never_left_outside() {
    let count = 20_000;
    let mut waiting: BTreeMap<_, _> =
        (1..=count).map(|number| (id(number), ticket(number, &number.to_string()))).collect();
    let mut lanes = Lanes::default();
    lanes.open(destination(), LaneSettings { concurrency: 64, ..SETTINGS });
    let (mut now, mut read) = (NOW, 0);
    while !waiting.is_empty() {
        let flying: Vec<_> = std::iter::from_fn(|| lanes.start(now)).collect();
        now = now.plus(Duration::from_millis(1));
        for question in lanes.reads() {
            let Read::Destination { after, limit, .. } = question else { panic!("of a lane: {question:?}") };
            let after = after.map_or(i64::MIN, DeliveryId::get);
            let found = waiting.range(id(after.saturating_add(1))..).take(limit);
            let tickets: Vec<_> = found.map(|(_, ticket)| Ticket { due: now, ..ticket.clone() }).collect();
            read += tickets.len();
            assert_eq!(lanes.answer(&question, tickets, now), []);
        }
        for ticket in flying {
            waiting.remove(&ticket.id);
            settle(&mut lanes, &ticket.lane.key, ticket.id.get(), Next::Finished);
        }
    }
    assert_eq!(read, usize::try_from(count).unwrap(), "each is read once");
}

#[test]
fn broken_lanes_come_back_when_their_time_has_come() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    let mut now = at(3600);
    let mut seen = std::collections::BTreeSet::new();
    while i64::try_from(seen.len()).unwrap() < BROKEN {
        while let Some(ticket) = lanes.start(now) {
            seen.insert(ticket.id);
            shelf.finish(&mut lanes, &ticket);
        }
        let _superseded = shelf.serve(&mut lanes);
        now = lanes.wake_at().unwrap_or(now).max(now);
        assert!(now < at(3700), "{} of {BROKEN} went", seen.len());
    }
    assert!(shelf.waiting.is_empty());
}

#[test]
fn a_lane_outside_is_not_overtaken_by_its_own_newer_delivery() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    // Each asks the store for its lane, and the stand-in looks through everything.
    for old in (1..=BROKEN).step_by(500) {
        let id = BROKEN + old;
        let newer = ticket(id, &format!("broken {old}"));
        shelf.put(newer.clone());
        assert!(!matches!(lanes.add(newer, NOW), Added::NoDestination));
        let _superseded = shelf.serve(&mut lanes);
        assert_eq!(lanes.start(NOW), None, "its lane waits for {old}");
    }
}

/// Memory is full of lanes that may go, so there is no room for the one that somebody wants tried at once.
#[test]
fn a_wish_for_a_lane_outside_is_kept_while_memory_is_full() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    let outside = (1..=BROKEN).find(|id| !lanes.is_waiting(&lane(&format!("broken {id}")), self::id(*id)));
    let wanted = outside.unwrap();
    let mut number = BROKEN;
    while lanes.destinations[0].has_room_for_one() {
        number += 1;
        let healthy = ticket(number, &format!("healthy {number}"));
        shelf.put(healthy.clone());
        lanes.add(healthy, NOW);
    }
    assert!(lanes.hurry(&lane(&format!("broken {wanted}")), id(wanted), NOW));
    let mut now = NOW;
    let mut tried = Vec::new();
    while tried.is_empty() && now < at(60) {
        while let Some(ticket) = lanes.start(now) {
            if is_broken(&ticket) {
                tried.push(ticket.id.get());
            }
            shelf.finish(&mut lanes, &ticket);
        }
        let _superseded = shelf.serve(&mut lanes);
        now = lanes.wake_at().unwrap_or(now).max(now);
    }
    assert_eq!(tried, [wanted], "and no other goes early");
    assert!(!lanes.destinations[0].hurries(), "a wish that was carried out is forgotten");
}

#[test]
fn slow_retries_leave_places_for_first_attempts() {
    let mut lanes = lanes(SETTINGS);
    for id in 1..=20 {
        lanes.add(ticket(id, &format!("slow {id}")), NOW);
    }
    for _ in 1..=20 {
        let ticket = lanes.start(NOW).unwrap();
        assert_eq!(lanes.settle(&ticket.lane, ticket.id, AGAIN), []);
    }
    assert_eq!(started(&mut lanes, LATER).len(), 6, "of eight places");
    assert_eq!(lanes.wake_at(), None, "only an end or a first attempt can change anything");
    lanes.add(ticket(21, "new"), NOW);
    assert_eq!(started(&mut lanes, LATER), [21]);
}

#[test]
fn first_attempts_and_retries_take_turns() {
    let mut lanes = lanes(LaneSettings { concurrency: 1, ..SETTINGS });
    for id in 1..=3 {
        lanes.add(ticket(id, &format!("old {id}")), NOW);
        assert_eq!(started(&mut lanes, NOW), [id]);
        settle(&mut lanes, &format!("old {id}"), id, AGAIN);
    }
    for id in 4..=6 {
        lanes.add(ticket(id, &format!("new {id}")), NOW);
    }
    let mut retries = Vec::new();
    for _ in 0..6 {
        let ticket = lanes.start(LATER).unwrap();
        retries.push(ticket.attempts > 0);
        assert_eq!(lanes.settle(&ticket.lane, ticket.id, Next::Finished), []);
    }
    let firsts = retries.windows(2).filter(|pair| pair[0] == pair[1]).count();
    assert_eq!(firsts, 0, "{retries:?}");
}

#[test]
fn recovery_hurries_lanes_outside_too() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    let name = destination();
    for id in 1..=5 {
        lanes.failed(&lane("x"), DeliveryId::new(id), NOW);
    }
    assert_eq!(lanes.load(&name).unwrap().gate, GateState::Breaker);
    assert!(lanes.reached(&name, at(10)));
    let mut now = at(10);
    while !shelf.waiting.is_empty() {
        while let Some(ticket) = lanes.start(now) {
            assert!(is_broken(&ticket));
            shelf.finish(&mut lanes, &ticket);
        }
        let _superseded = shelf.serve(&mut lanes);
        now = lanes.wake_at().unwrap_or(now).max(now);
        assert!(now < at(60), "{} wait still", shelf.waiting.len());
    }
}

/// With the share of one of many destinations, far fewer broken lanes fill memory.
#[test]
fn healthy_lanes_behind_a_deep_backlog_go_with_a_small_share_of_memory_too() {
    for destinations in [5, 64, 200] {
        for broken in [20, 60, 240, 1100] {
            let deep = 6_000;
            let mut shelf = Shelf::of(
                (1..=deep).map(|id| Ticket { attempts: 1, ..ticket(id, &format!("broken {}", id % broken)) }),
            );
            for id in deep + 1..=deep + 20 {
                shelf.put(ticket(id, &format!("healthy {id}")));
            }
            let mut lanes = Lanes::for_destinations(destinations);
            lanes.open(destination(), SETTINGS);
            let (mut healthy, mut read) = (0, 0);
            while shelf.read > read || read == 0 {
                read = shelf.read;
                let _superseded = shelf.serve(&mut lanes);
                while let Some(ticket) = lanes.start(NOW) {
                    if is_broken(&ticket) {
                        shelf.fail(&mut lanes, &ticket, at(3600));
                    } else {
                        healthy += 1;
                        shelf.finish(&mut lanes, &ticket);
                    }
                }
            }
            assert_eq!(healthy, 20, "behind {broken} broken lanes, of {destinations}");
        }
    }
}

/// The first wish waits for room; when it comes again there is room.
#[test]
fn a_wish_that_is_carried_out_when_it_comes_again_does_not_act_twice() {
    let (mut lanes, mut shelf) = many_broken_lanes();
    let outside = (1..=BROKEN).find(|id| !lanes.is_waiting(&lane(&format!("broken {id}")), self::id(*id)));
    let wanted = outside.unwrap();
    let key = format!("broken {wanted}");
    let mut number = BROKEN;
    while lanes.destinations[0].has_room_for_one() {
        number += 1;
        let healthy = ticket(number, &format!("healthy {number}"));
        shelf.put(healthy.clone());
        lanes.add(healthy, NOW);
    }
    assert!(lanes.hurry(&lane(&key), id(wanted), NOW));
    // A healthy one goes: now there is room, and the person asks again.
    let ticket = lanes.start(NOW).unwrap();
    shelf.finish(&mut lanes, &ticket);
    assert!(lanes.hurry(&lane(&key), id(wanted), NOW));
    for read in lanes.reads() {
        if matches!(read, Read::Lane { .. }) {
            let tickets: Vec<_> =
                shelf.waiting.values().filter(|it| it.lane == lane(&key)).cloned().collect();
            assert_eq!(lanes.answer(&read, tickets, NOW), []);
        }
    }
    // It is tried, fails again, and has to wait for an hour.
    let mut tried = 0;
    while let Some(ticket) = lanes.start(NOW) {
        if is_broken(&ticket) {
            assert_eq!(ticket.id, id(wanted));
            tried += 1;
            shelf.fail(&mut lanes, &ticket, at(3600));
        } else {
            shelf.finish(&mut lanes, &ticket);
        }
    }
    assert_eq!(tried, 1);
    // Memory is full once more, and this lane is the first to leave it.
    while lanes.destinations[0].has_room_for_one() {
        number += 1;
        let healthy = self::ticket(number, &format!("healthy {number}"));
        shelf.put(healthy.clone());
        lanes.add(healthy, NOW);
    }
    let mut now = NOW;
    while now < at(300) {
        while let Some(ticket) = lanes.start(now) {
            assert!(!is_broken(&ticket), "{} goes at {now:?}, nobody asked for it again", ticket.id);
            shelf.finish(&mut lanes, &ticket);
        }
        let _superseded = shelf.serve(&mut lanes);
        now = lanes.wake_at().unwrap_or(now).max(now.plus(Duration::from_secs(1)));
    }
}
