//! What is in memory, what stays in the store, and how it comes back.

use super::*;
use crate::limits::{LANE_WINDOW_MAX, READ_TICKETS_MAX, TICKETS_MAX, TICKETS_MIN, TICKETS_TOGETHER_MAX};

fn behind(lanes: &Lanes) -> bool {
    lanes.load(&destination()).unwrap().behind
}

/// Finishes everything as it starts, and gives the ids in order.
fn drain(lanes: &mut Lanes, shelf: &mut Shelf) -> Vec<i64> {
    let mut order = Vec::new();
    loop {
        let _superseded = shelf.serve(lanes);
        let Some(ticket) = lanes.start(NOW) else { return order };
        order.push(ticket.id.get());
        shelf.finish(lanes, &ticket);
    }
}

#[test]
fn a_destination_begins_behind_and_catches_up_by_reading() {
    let mut shelf = Shelf::of([ticket(1, "a"), ticket(2, "b")]);
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    assert!(behind(&lanes));
    assert_eq!(lanes.add(ticket(3, "a"), NOW), Added::Stored, "1 comes first, and is not known yet");
    shelf.put(ticket(3, "a"));
    assert_eq!(drain(&mut lanes, &mut shelf), [1, 2, 3]);
    assert!(!behind(&lanes));
    assert_eq!(lanes.add(ticket(4, "a"), NOW), Added::Queued);
}

#[test]
fn a_million_lanes_of_one_delivery_each_take_no_more_than_the_bound() {
    let count = 100_000;
    let mut shelf = Shelf::of((1..=count).map(|id| ticket(id, &format!("lane {id}"))));
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let _superseded = shelf.serve(&mut lanes);
    assert!(lanes.destinations[0].places() <= TICKETS_MAX);
    assert!(lanes.destinations[0].places() > TICKETS_MAX - READ_TICKETS_MAX);
    assert_eq!(drain(&mut lanes, &mut shelf).len(), usize::try_from(count).unwrap());
    assert_eq!(lanes.destinations[0].places(), 0);
}

#[test]
fn destinations_share_the_memory_for_what_waits() {
    for (destinations, share) in [
        (0, TICKETS_MAX),
        (1, TICKETS_MAX),
        (4, TICKETS_MAX),
        (5, 13_107),
        (20, 3_276),
        (64, 1024),
        (500, 1024),
    ] {
        let Bounds { places, read, .. } = Bounds::shared_by(destinations);
        assert_eq!(places, share, "of {destinations}");
        assert!(read * 4 <= places && read <= READ_TICKETS_MAX, "{read}");
        assert!(places == TICKETS_MIN || places * destinations <= TICKETS_TOGETHER_MAX);
    }
}

#[test]
fn one_of_many_destinations_delivers_more_than_its_share() {
    let count = 10_000;
    let mut shelf = Shelf::of((1..=count).map(|id| ticket(id, &format!("lane {id}"))));
    let mut lanes = Lanes::for_destinations(100);
    lanes.open(destination(), SETTINGS);
    let _superseded = shelf.serve(&mut lanes);
    assert!(behind(&lanes) && lanes.destinations[0].places() <= TICKETS_MIN);
    assert_eq!(drain(&mut lanes, &mut shelf).len(), usize::try_from(count).unwrap());
}

#[test]
fn one_lane_of_many_deliveries_takes_its_window_and_keeps_its_order() {
    let count = 20_000;
    let mut shelf = Shelf::of((1..=count).map(|id| ticket(id, "a")));
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let _superseded = shelf.serve(&mut lanes);
    assert_eq!(lanes.destinations[0].places(), LANE_WINDOW_MAX);
    assert!(!behind(&lanes), "other lanes go by the feed");
    assert_eq!(drain(&mut lanes, &mut shelf), (1..=count).collect::<Vec<_>>());
}

#[test]
fn what_the_feed_left_out_is_read_and_not_overtaken() {
    let mut lanes = lanes(SETTINGS);
    let mut shelf = Shelf::of((1..=5).map(|id| ticket(id, "a")));
    lanes.add(ticket(1, "a"), NOW);
    lanes.missed(id(3));
    assert_eq!(lanes.add(ticket(4, "a"), NOW), Added::Stored);
    assert_eq!(lanes.add(ticket(5, "a"), NOW), Added::Stored);
    assert_eq!(drain(&mut lanes, &mut shelf), [1, 2, 3, 4, 5]);
    assert!(!behind(&lanes));
}

#[test]
fn a_gap_that_was_read_already_is_no_reason_to_read_again() {
    let mut shelf = Shelf::of((1..=3).map(|id| ticket(id, "a")));
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let _superseded = shelf.serve(&mut lanes);
    lanes.missed(id(3));
    assert_eq!(lanes.reads(), []);
    assert_eq!(lanes.add(ticket(3, "a"), NOW), Added::Queued, "it is in memory");
    assert_eq!(drain(&mut lanes, &mut shelf), [1, 2, 3]);
}

#[test]
fn deliveries_that_come_while_the_store_is_read_are_not_forgotten() {
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let mut shelf = Shelf::of([ticket(1, "a")]);
    let read = lanes.reads().remove(0);
    let before = shelf.look_up(&read);
    shelf.put(ticket(2, "a"));
    assert_eq!(lanes.add(ticket(2, "a"), NOW), Added::Stored);
    assert_eq!(lanes.answer(&read, before, NOW), []);
    assert_eq!(drain(&mut lanes, &mut shelf), [1, 2]);
}

#[test]
fn each_read_is_given_once_until_it_is_answered() {
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let reads = lanes.reads();
    assert_eq!(
        reads,
        [Read::Destination { destination: destination(), after: None, limit: READ_TICKETS_MAX }]
    );
    assert_eq!(lanes.reads(), []);
    assert_eq!(lanes.answer(&reads[0], Vec::new(), NOW), []);
    assert_eq!(lanes.reads(), [], "the store is empty");
}

#[test]
fn a_refill_that_is_ahead_of_the_feed_brings_nothing_twice() {
    let mut lanes = lanes(SETTINGS);
    for id in 1..=40 {
        lanes.add(ticket(id, "a"), NOW);
    }
    for id in 1..=16 {
        assert_eq!(started(&mut lanes, NOW), [id]);
        settle(&mut lanes, "a", id, Next::Finished);
    }
    let reads = lanes.reads();
    assert_eq!(reads.len(), 1);
    // 41 and 42 are committed before the store is read, and the feed brings them after its answer.
    assert_eq!(lanes.answer(&reads[0], (33..=42).map(|id| ticket(id, "a")).collect(), NOW), []);
    for id in [41, 42] {
        assert_eq!(lanes.add(ticket(id, "a"), NOW), Added::Queued);
    }
    let mut order = Vec::new();
    while let [id] = started(&mut lanes, NOW)[..] {
        order.push(id);
        settle(&mut lanes, "a", id, Next::Finished);
    }
    assert_eq!(order, (17..=42).collect::<Vec<_>>());
}

/// Sixteen thousand of each may be in memory for every destination.
#[test]
fn a_waiting_delivery_and_its_lane_are_small() {
    assert_eq!(size_of::<window::Waiting>(), 40);
    assert!(size_of::<window::Lane>() <= 256, "{}", size_of::<window::Lane>());
}
