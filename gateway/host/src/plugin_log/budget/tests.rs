use std::time::Duration;

use tokio::time::Instant;

use super::{BURST, Budget, REFILL};

/// Takes from the budget until it is empty; gives how many it allowed.
fn drain(budget: &mut Budget, now: Instant) -> u32 {
    (0..).take_while(|_| budget.take(now, true)).count().try_into().unwrap()
}

#[test]
fn a_burst_passes_and_a_flood_is_counted() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    assert_eq!(drain(&mut budget, now), BURST);
    assert!(!budget.take(now, true));
    assert_eq!(budget.lost(), Some(2));
    assert_eq!(budget.lost(), None);
}

#[test]
fn the_budget_refills_steadily_up_to_a_burst() {
    let start = Instant::now();
    let mut budget = Budget::new(start);
    drain(&mut budget, start);
    // Time that is not enough for a record is not lost to the next one.
    assert!(!budget.take(start + REFILL / 2, true));
    assert_eq!(drain(&mut budget, start + REFILL), 1);
    assert_eq!(drain(&mut budget, start + REFILL * 11), 10);
    assert_eq!(drain(&mut budget, start + Duration::from_secs(3600)), BURST);
}

#[test]
fn a_record_without_room_is_lost_but_costs_nothing() {
    let now = Instant::now();
    let mut budget = Budget::new(now);
    assert!(!budget.take(now, false));
    assert_eq!(budget.lost(), Some(1));
    assert_eq!(drain(&mut budget, now), BURST);
}
