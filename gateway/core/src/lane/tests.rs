mod cancel;
mod latest;
mod model;
mod reading;
mod shelf;
mod starving;
mod steering;

use self::shelf::Shelf;
use super::*;
use crate::id::EventId;

const NOW: Timestamp = Timestamp::from_unix_ms(1_000);
const LATER: Timestamp = Timestamp::from_unix_ms(9_000);

fn destination() -> DestinationName {
    DestinationName::new("d")
}

fn lane(key: &str) -> LaneKey {
    LaneKey { destination: destination(), key: key.into() }
}

fn id(number: i64) -> DeliveryId {
    DeliveryId::new(number)
}

fn ids(list: &[i64]) -> Vec<DeliveryId> {
    list.iter().copied().map(DeliveryId::new).collect()
}

fn ticket(id: i64, key: &str) -> Ticket {
    Ticket {
        id: DeliveryId::new(id),
        event: EventId::from_bytes([0; 16]),
        lane: lane(key),
        attempts: 0,
        due: Timestamp::EPOCH,
        repeats: false,
    }
}

const SETTINGS: LaneSettings =
    LaneSettings { concurrency: 8, backlog: Backlog::Keep, starts_per_second: None };

/// A destination whose store is empty.
fn lanes(settings: LaneSettings) -> Lanes {
    let mut lanes = Lanes::default();
    lanes.open(destination(), settings);
    Shelf::default().serve(&mut lanes);
    lanes
}

fn started(lanes: &mut Lanes, now: Timestamp) -> Vec<i64> {
    std::iter::from_fn(|| lanes.start(now)).map(|ticket| ticket.id.get()).collect()
}

/// Settles a delivery where nothing becomes superseded.
#[track_caller]
fn settle(lanes: &mut Lanes, key: &str, number: i64, next: Next) {
    assert_eq!(lanes.settle(&lane(key), id(number), next), ids(&[]));
}

#[track_caller]
fn release(lanes: &mut Lanes, key: &str) {
    assert_eq!(lanes.release(&lane(key)), ids(&[]));
}

const AGAIN: Next = Next::Again { due: LATER, attempts: 1, asked: false };

#[test]
fn a_lane_goes_one_at_a_time_and_lanes_go_side_by_side() {
    let mut lanes = lanes(SETTINGS);
    for (id, key) in [(1, "a"), (2, "a"), (3, "b")] {
        assert_eq!(lanes.add(ticket(id, key), NOW), Added::Queued);
    }
    assert_eq!(started(&mut lanes, NOW), [1, 3]);
    settle(&mut lanes, "a", 1, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn a_retry_holds_its_own_lane_only() {
    let mut lanes = lanes(SETTINGS);
    for (id, key) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        lanes.add(ticket(id, key), NOW);
    }
    started(&mut lanes, NOW);
    settle(&mut lanes, "a", 1, AGAIN);
    settle(&mut lanes, "b", 3, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [4]);
    assert_eq!(lanes.wake_at(), Some(LATER));
    assert_eq!(started(&mut lanes, LATER), [1], "the failed one goes again before the newer one");
}

#[test]
fn concurrency_bounds_what_is_in_flight() {
    let mut lanes = lanes(LaneSettings { concurrency: 2, ..SETTINGS });
    for id in 1..=5 {
        lanes.add(ticket(id, &format!("lane {id}")), NOW);
    }
    assert_eq!(started(&mut lanes, NOW).len(), 2);
    assert_eq!(lanes.in_flight(), 2);
    assert_eq!(lanes.wake_at(), None, "only a settlement can change anything");
}

#[test]
fn an_attempt_that_has_ended_makes_way_for_other_lanes_and_not_for_its_own() {
    let mut lanes = lanes(LaneSettings { concurrency: 1, ..SETTINGS });
    for (id, key) in [(1, "a"), (2, "a"), (3, "b")] {
        lanes.add(ticket(id, key), NOW);
    }
    assert_eq!(started(&mut lanes, NOW), [1]);
    lanes.ended(&lane("a"), id(1), 0);
    assert_eq!(lanes.in_flight(), 0);
    assert_eq!(started(&mut lanes, NOW), [3]);
    lanes.ended(&lane("b"), id(3), 0);
    assert!(started(&mut lanes, NOW).is_empty(), "1 is being recorded");
    settle(&mut lanes, "a", 1, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn what_has_ended_and_is_not_recorded_is_bounded() {
    let mut lanes = Lanes { bounds: Bounds { unrecorded: 2, ..Bounds::default() }, ..Lanes::default() };
    lanes.open(destination(), LaneSettings { concurrency: 1, ..SETTINGS });
    Shelf::default().serve(&mut lanes);
    for number in 1..=4 {
        lanes.add(ticket(number, &format!("lane {number}")), NOW);
    }
    for number in 1..=2 {
        assert_eq!(started(&mut lanes, NOW), [number]);
        lanes.ended(&lane(&format!("lane {number}")), id(number), 0);
    }
    assert_eq!((started(&mut lanes, NOW), lanes.wake_at()), (vec![], None));
    settle(&mut lanes, "lane 2", 2, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [3]);
}

#[test]
fn what_outcomes_take_before_they_are_recorded_is_bounded() {
    let mut lanes = with_tiny_outcomes();
    for (number, bytes) in [(1, 60), (2, 40)] {
        assert_eq!(started(&mut lanes, NOW), [number]);
        lanes.ended(&lane(&format!("lane {number}")), id(number), bytes);
    }
    assert_eq!((started(&mut lanes, NOW), lanes.wake_at()), (vec![], None));
    settle(&mut lanes, "lane 1", 1, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [3]);
    lanes.ended(&lane("lane 3"), id(3), 60);
    assert!(started(&mut lanes, NOW).is_empty(), "of 1 nothing is left, of 2 and 3 a hundred bytes");
}

/// Four lanes that go one at a time, while the outcomes before take less than a hundred bytes.
fn with_tiny_outcomes() -> Lanes {
    let bounds = Bounds { unrecorded_bytes: 100, ..Bounds::default() };
    let mut lanes = Lanes { bounds, ..Lanes::default() };
    lanes.open(destination(), LaneSettings { concurrency: 1, ..SETTINGS });
    Shelf::default().serve(&mut lanes);
    for number in 1..=4 {
        lanes.add(ticket(number, &format!("lane {number}")), NOW);
    }
    lanes
}

#[test]
fn next_up_are_the_heads_in_line_and_then_the_rest_of_the_lane() {
    let mut lanes = lanes(LaneSettings { concurrency: 1, ..SETTINGS });
    for (id, key) in [(1, "a"), (2, "a"), (3, "b"), (4, "b"), (5, "c")] {
        lanes.add(ticket(id, key), NOW);
    }
    lanes.add(Ticket { due: LATER, ..ticket(6, "d") }, NOW);
    assert_eq!(started(&mut lanes, NOW), [1]);
    let next = |limit| lanes.next_up(&lane("a"), limit).iter().map(|it| it.id.get()).collect::<Vec<_>>();
    assert_eq!(next(9), [3, 5, 2], "what waits for a moment is not next");
    assert_eq!(next(1), [3]);
    let waiting: Vec<_> = ["a", "a", "b"].into_iter().zip(1..).collect();
    assert_eq!(
        waiting.iter().map(|(key, number)| lanes.is_waiting(&lane(key), id(*number))).collect::<Vec<_>>(),
        [false, true, true]
    );
}

#[test]
fn a_destination_that_is_gone_keeps_its_deliveries_in_the_store() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.add(ticket(1, "a"), NOW), Added::NoDestination);
}

#[test]
fn destinations_are_served_in_turn() {
    let mut lanes = Lanes::default();
    for name in ["a", "b"] {
        lanes.open(DestinationName::new(name), LaneSettings { concurrency: 9, ..SETTINGS });
    }
    Shelf::default().serve(&mut lanes);
    for id in 1..=4 {
        let name = if id <= 2 { "a" } else { "b" };
        let lane = LaneKey { destination: DestinationName::new(name), key: id.to_string().into() };
        lanes.add(Ticket { lane, ..ticket(id, "") }, NOW);
    }
    assert_eq!(started(&mut lanes, NOW), [1, 3, 2, 4]);
}
