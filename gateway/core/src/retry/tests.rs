use std::time::Duration;

use proptest::prelude::*;

use super::RetryPolicy;
use crate::{id::DeliveryId, limits};

fn waits(policy: &RetryPolicy) -> Vec<Duration> {
    (1..).map_while(|attempt| policy.delay(DeliveryId::new(7), attempt, None)).collect()
}

#[test]
fn the_default_tries_eleven_times_over_a_day() {
    let waits = waits(&RetryPolicy::default());
    assert_eq!(waits.len(), 10);
    let total: Duration = waits.iter().sum();
    assert!((Duration::from_secs(22 * 3600)..Duration::from_secs(34 * 3600)).contains(&total), "{total:?}");
}

#[test]
fn no_waits_mean_one_attempt() {
    assert_eq!(RetryPolicy::new(vec![]).delay(DeliveryId::new(1), 1, None), None);
}

#[test]
fn a_longer_retry_after_counts_and_is_bounded() {
    let policy = RetryPolicy::new(vec![Duration::from_secs(5)]);
    let delay = |after| policy.delay(DeliveryId::new(1), 1, Some(Duration::from_secs(after))).unwrap();
    assert_eq!(delay(90), Duration::from_secs(90));
    assert!(delay(1) >= Duration::from_secs(4));
    assert_eq!(delay(1_000_000_000), limits::RETRY_AFTER_MAX);
}

proptest! {
    #[test]
    fn the_spread_stays_within_a_fifth_and_does_not_change(id in 1i64.., attempt in 1u32..=10) {
        let policy = RetryPolicy::new(vec![Duration::from_secs(1000); 10]);
        let delay = policy.delay(DeliveryId::new(id), attempt, None).unwrap();
        prop_assert!((Duration::from_secs(800)..=Duration::from_secs(1200)).contains(&delay));
        prop_assert_eq!(Some(delay), policy.delay(DeliveryId::new(id), attempt, None));
        prop_assert!(delay <= policy.delay_max());
    }
}

#[test]
fn deliveries_that_failed_together_do_not_come_back_together() {
    let policy = RetryPolicy::new(vec![Duration::from_secs(1000)]);
    let mut delays: Vec<_> =
        (1..=1000).map(|id| policy.delay(DeliveryId::new(id), 1, None).unwrap()).collect();
    delays.sort();
    delays.dedup();
    assert!(delays.len() > 300, "only {} distinct waits", delays.len());
    assert!(delays[0] < Duration::from_secs(820) && delays[delays.len() - 1] > Duration::from_secs(1180));
}
