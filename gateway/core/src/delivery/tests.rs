use std::time::Duration;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_000_000);

fn after(attempts: u32, outcome: &Outcome) -> Step {
    let policy = RetryPolicy::new(vec![Duration::from_secs(10), Duration::from_secs(20)]);
    step(DeliveryId::new(1), attempts, outcome, &policy, NOW)
}

#[track_caller]
fn check_final(kind: OutcomeKind, state: DeliveryState) {
    let step = after(0, &Outcome::of(kind));
    assert_eq!(step, Step { state, attempts: 1, due: None, destination: DestinationStep::Carry });
    assert!(step.state.is_final());
}

#[test]
fn some_outcomes_end_a_delivery() {
    check_final(OutcomeKind::Delivered, DeliveryState::Delivered);
    check_final(OutcomeKind::Skipped, DeliveryState::Skipped);
    check_final(OutcomeKind::Permanent, DeliveryState::Dead);
}

#[test]
fn a_failure_is_retried_until_the_waits_are_used_up() {
    let outcome = Outcome::retry("http_503", "busy");
    let first = after(0, &outcome);
    assert_eq!((first.state, first.attempts), (DeliveryState::Retrying, 1));
    assert!(first.due.unwrap() >= NOW.plus(Duration::from_secs(8)));
    assert_eq!(after(1, &outcome).state, DeliveryState::Retrying);
    let last = after(2, &outcome);
    assert_eq!((last.state, last.attempts, last.due), (DeliveryState::Dead, 3, None));
}

#[test]
fn a_rate_limit_pauses_the_destination_and_costs_no_attempt() {
    let outcome =
        Outcome { retry_after: Some(Duration::from_secs(7)), ..Outcome::of(OutcomeKind::RateLimited) };
    let step = after(2, &outcome);
    assert_eq!((step.state, step.attempts), (DeliveryState::Retrying, 2));
    assert_eq!(step.destination, DestinationStep::PauseUntil(NOW.plus(Duration::from_secs(7))));
}

#[test]
fn a_rate_limit_of_nothing_is_a_second_all_the_same() {
    let outcome =
        Outcome { retry_after: Some(Duration::from_millis(1)), ..Outcome::of(OutcomeKind::RateLimited) };
    assert_eq!(after(0, &outcome).due, Some(NOW.plus(limits::RATE_LIMIT_PAUSE_MIN)));
}

#[test]
fn bad_settings_pause_the_destination_and_lose_nothing() {
    let step = after(0, &Outcome::of(OutcomeKind::Misconfigured));
    assert_eq!((step.state, step.attempts), (DeliveryState::Pending, 0));
    assert_eq!(step.destination, DestinationStep::PauseUntil(NOW.plus(limits::PROBE_INTERVAL)));
}

#[test]
fn names_read_back() {
    for state in DeliveryState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    assert!("done".parse::<DeliveryState>().is_err());
}
