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
    assert_eq!((step.state, step.attempts, step.due), (state, 1, None));
    assert_eq!(step.destination, DestinationStep::Carry);
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

/// How long a delivery with a first wait of ten seconds waits after the remote side asked for `asked`.
fn wait_after(kind: OutcomeKind, asked: Duration) -> Duration {
    let step = after(0, &Outcome { retry_after: Some(asked), ..Outcome::of(kind) });
    NOW.until(step.due.unwrap())
}

#[test]
fn a_wait_that_the_remote_side_asks_for_is_kept_within_bounds() {
    let (short, long) = (Duration::from_secs(8), Duration::from_secs(12));
    for nothing in [Duration::ZERO, Duration::from_nanos(1)] {
        let wait = wait_after(OutcomeKind::Retry, nothing);
        assert!((short..=long).contains(&wait), "the policy's own wait stands: {wait:?}");
        assert_eq!(wait_after(OutcomeKind::RateLimited, nothing), limits::RATE_LIMIT_PAUSE_MIN);
    }
    let hour = Duration::from_secs(3600);
    assert_eq!(wait_after(OutcomeKind::Retry, hour), hour);
    assert_eq!(wait_after(OutcomeKind::RateLimited, hour), hour);
    for absurd in [limits::RETRY_AFTER_MAX * 2, Duration::MAX] {
        assert_eq!(wait_after(OutcomeKind::Retry, absurd), limits::RETRY_AFTER_MAX);
        assert_eq!(wait_after(OutcomeKind::RateLimited, absurd), limits::RETRY_AFTER_MAX);
    }
}

#[test]
fn only_a_wait_that_the_remote_side_made_longer_was_asked_for() {
    let asked = |kind, retry_after| {
        let outcome = Outcome { retry_after, ..Outcome::of(kind) };
        after(0, &outcome).asked
    };
    assert!(!asked(OutcomeKind::Retry, None));
    assert!(!asked(OutcomeKind::Retry, Some(Duration::from_secs(1))));
    assert!(asked(OutcomeKind::Retry, Some(Duration::from_secs(60))));
    assert!(asked(OutcomeKind::RateLimited, Some(Duration::from_secs(60))));
    assert!(!asked(OutcomeKind::RateLimited, None));
    assert!(!asked(OutcomeKind::Misconfigured, None));
}

#[test]
fn names_read_back() {
    for state in DeliveryState::ALL {
        assert_eq!(state.as_str().parse(), Ok(state));
    }
    assert!("done".parse::<DeliveryState>().is_err());
}
