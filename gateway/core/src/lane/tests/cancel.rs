//! A person takes a waiting delivery out, or makes it go at once.

use super::*;

#[test]
fn a_delivery_in_flight_stays_there() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "a"), NOW);
    started(&mut lanes, NOW);
    assert_eq!(lanes.cancel(&lane("a"), id(1)), Cancel::InFlight);
}

#[test]
fn a_waiting_delivery_is_taken_and_its_lane_waits_for_the_record() {
    let mut lanes = lanes(SETTINGS);
    for number in 1..=3 {
        lanes.add(ticket(number, "a"), NOW);
    }
    assert_eq!(lanes.cancel(&lane("a"), id(1)), Cancel::Taken);
    assert_eq!(lanes.cancel(&lane("a"), id(2)), Cancel::Taken);
    release(&mut lanes, "a");
    assert!(started(&mut lanes, NOW).is_empty(), "the second record is under way");
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [3]);
}

#[test]
fn a_head_that_waits_for_a_retry_holds_nothing_up_once_cancelled() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "a"), NOW);
    lanes.add(ticket(2, "a"), NOW);
    started(&mut lanes, NOW);
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(lanes.cancel(&lane("a"), id(1)), Cancel::Taken);
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn a_read_under_way_does_not_bring_a_cancelled_delivery_back() {
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let shelf = Shelf::of([ticket(1, "a"), ticket(2, "a")]);
    let read = lanes.reads().remove(0);
    let before = shelf.look_up(&read);
    assert_eq!(lanes.cancel(&lane("a"), id(1)), Cancel::Stored);
    lanes.forget_cancelled(&lane("a"), id(1));
    assert_eq!(lanes.answer(&read, before, NOW), []);
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn a_feed_far_behind_does_not_bring_a_cancelled_delivery_back() {
    let mut lanes = lanes(SETTINGS);
    assert_eq!(lanes.cancel(&lane("a"), id(1)), Cancel::Stored);
    lanes.forget_cancelled(&lane("a"), id(1));
    assert_eq!(lanes.add(ticket(1, "a"), NOW), Added::Stored);
    assert!(started(&mut lanes, NOW).is_empty());
}

#[test]
fn a_refill_under_way_does_not_bring_a_cancelled_delivery_back() {
    let mut lanes = lanes(SETTINGS);
    let mut shelf = Shelf::of((1..=40).map(|number| ticket(number, "a")));
    shelf.waiting.values().for_each(|ticket| drop(lanes.add(ticket.clone(), NOW)));
    for number in 1..=20 {
        let ticket = lanes.start(NOW).unwrap();
        assert_eq!(ticket.id, id(number));
        shelf.finish(&mut lanes, &ticket);
    }
    let read = lanes.reads().remove(0);
    let before = shelf.look_up(&read);
    assert_eq!(lanes.cancel(&lane("a"), id(35)), Cancel::Stored);
    shelf.waiting.remove(&id(35));
    lanes.forget_cancelled(&lane("a"), id(35));
    assert_eq!(lanes.answer(&read, before, NOW), []);
    while let Some(ticket) = lanes.start(NOW) {
        shelf.finish(&mut lanes, &ticket);
    }
    assert!(shelf.waiting.is_empty());
}

#[test]
fn a_read_of_cancelled_deliveries_alone_is_not_made_twice() {
    let mut lanes = lanes(SETTINGS);
    let last = 3 * i64::try_from(crate::limits::LANE_WINDOW_MAX).unwrap();
    let mut shelf = Shelf::of((1..=last).map(|number| ticket(number, "a")));
    shelf.waiting.values().for_each(|ticket| drop(lanes.add(ticket.clone(), NOW)));
    let first = lanes.start(NOW).unwrap();
    // Their records take long: the store gives them still.
    for number in 2..last {
        lanes.cancel(&lane("a"), id(number));
    }
    shelf.finish(&mut lanes, &first);
    let _superseded = shelf.serve(&mut lanes);
    assert!(shelf.read < shelf.waiting.len() + 1, "{} were read", shelf.read);
    for _ in 2..=i64::try_from(crate::limits::LANE_WINDOW_MAX).unwrap() {
        release(&mut lanes, "a");
    }
    assert_eq!(started(&mut lanes, NOW), [last]);
}

#[test]
fn a_hurried_head_goes_at_once() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "a"), NOW);
    lanes.add(ticket(2, "a"), NOW);
    assert_eq!(started(&mut lanes, NOW), [1]);
    assert!(!lanes.hurry(&lane("a"), id(1), NOW), "it is in flight");
    settle(&mut lanes, "a", 1, AGAIN);
    assert!(lanes.hurry(&lane("a"), id(1), NOW));
    assert_eq!(started(&mut lanes, NOW), [1]);
    settle(&mut lanes, "a", 1, AGAIN);
    assert!(lanes.hurry(&lane("a"), id(2), NOW), "it waits for the first, so that one goes");
    assert_eq!(started(&mut lanes, NOW), [1]);
}

#[test]
fn a_lane_that_is_hurried_while_something_is_recorded_goes_after_that() {
    let mut lanes = lanes(SETTINGS);
    for number in 1..=3 {
        lanes.add(ticket(number, "a"), NOW);
    }
    started(&mut lanes, NOW);
    lanes.ended(&lane("a"), id(1), 0);
    assert!(lanes.hurry(&lane("a"), id(2), NOW));
    assert!(started(&mut lanes, LATER).is_empty(), "the outcome of 1 is being recorded");
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(started(&mut lanes, NOW), [1]);
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(lanes.cancel(&lane("a"), id(3)), Cancel::Taken);
    assert!(lanes.hurry(&lane("a"), id(1), NOW));
    assert!(started(&mut lanes, LATER).is_empty(), "3 is being recorded");
    release(&mut lanes, "a");
    assert_eq!(started(&mut lanes, NOW), [1]);
}

#[test]
fn a_wish_to_go_on_counts_once() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "a"), NOW);
    started(&mut lanes, NOW);
    lanes.ended(&lane("a"), id(1), 0);
    lanes.hurry(&lane("a"), id(1), NOW);
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(started(&mut lanes, NOW), [1]);
    settle(&mut lanes, "a", 1, AGAIN);
    assert!(started(&mut lanes, NOW).is_empty());
}

#[test]
fn a_hurried_delivery_that_no_read_has_come_to_goes_when_one_does() {
    let mut lanes = Lanes::default();
    lanes.open(destination(), SETTINGS);
    let mut shelf = Shelf::of([1, 2, 3].map(|number| Ticket { due: LATER, ..ticket(number, "a") }));
    shelf.put(Ticket { due: LATER, ..ticket(4, "b") });
    assert!(lanes.hurry(&lane("a"), id(2), NOW));
    shelf.serve(&mut lanes);
    assert_eq!(started(&mut lanes, NOW), [1], "the head of its lane, and no other");
}

#[test]
fn a_hurried_head_that_is_due_keeps_its_place_in_line() {
    let mut lanes = lanes(SETTINGS);
    lanes.add(ticket(1, "a"), NOW);
    lanes.add(ticket(2, "b"), NOW);
    assert!(lanes.hurry(&lane("a"), id(1), NOW));
    assert_eq!(started(&mut lanes, NOW), [1, 2]);
}

#[test]
fn a_hurried_delivery_that_is_not_in_memory_is_read_and_goes_before_its_lane() {
    let mut lanes = Lanes {
        bounds: Bounds { places: 2, read: 1, filter_bits: 64, ..Bounds::default() },
        ..Lanes::default()
    };
    lanes.open(destination(), SETTINGS);
    let mut shelf = Shelf::default();
    shelf.serve(&mut lanes);
    for number in 1..=2 {
        let ticket = Ticket { due: LATER, ..ticket(number, "a") };
        shelf.put(ticket.clone());
        lanes.add(ticket, NOW);
    }
    lanes.add(ticket(3, "b"), NOW);
    assert!(lanes.hurry(&lane("a"), id(1), NOW), "the lane has made room for the other one");
    shelf.serve(&mut lanes);
    assert_eq!(started(&mut lanes, NOW), [3, 1]);
    settle(&mut lanes, "a", 1, Next::Finished);
    shelf.serve(&mut lanes);
    assert_eq!(started(&mut lanes, LATER), [2]);
}
