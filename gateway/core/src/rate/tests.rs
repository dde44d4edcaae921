use super::RateLimit;
use crate::time::Timestamp;

fn taken(limit: &mut RateLimit, at_ms: i64, tries: usize) -> usize {
    (0..tries).filter(|_| limit.take(Timestamp::from_unix_ms(at_ms)).is_ok()).count()
}

#[test]
fn a_quiet_second_allows_a_burst_of_its_size() {
    let mut limit = RateLimit::per_second(10);
    assert_eq!(taken(&mut limit, 5_000, 30), 10);
}

#[test]
fn permits_come_back_evenly() {
    let mut limit = RateLimit::per_second(10);
    taken(&mut limit, 5_000, 30);
    assert_eq!(taken(&mut limit, 5_000 + 99, 5), 0);
    assert_eq!(taken(&mut limit, 5_000 + 100, 5), 1);
    assert_eq!(taken(&mut limit, 5_000 + 500, 9), 4);
}

#[test]
fn a_refusal_says_how_long_to_wait_and_the_wait_suffices() {
    let mut limit = RateLimit::per_second(3);
    taken(&mut limit, 1_000, 9);
    let wait = limit.take(Timestamp::from_unix_ms(1_000)).unwrap_err();
    let later = 1_000 + i64::try_from(wait.as_micros().div_ceil(1000)).unwrap();
    assert_eq!(limit.take(Timestamp::from_unix_ms(later)), Ok(()));
}

#[test]
fn a_clock_that_jumps_back_does_not_lock_the_source_out() {
    let mut limit = RateLimit::per_second(1);
    taken(&mut limit, 1_000_000, 1);
    let wait = limit.take(Timestamp::from_unix_ms(0)).unwrap_err();
    assert!(wait.as_millis() <= 1000, "{wait:?}");
}

#[test]
fn a_limit_by_the_minute_gives_its_burst_and_comes_back_evenly() {
    let mut limit = RateLimit::per_minute(6);
    assert_eq!(taken(&mut limit, 0, 30), 6);
    assert_eq!(taken(&mut limit, 9_999, 5), 0);
    assert_eq!(taken(&mut limit, 10_000, 5), 1);
    assert_eq!(taken(&mut limit, 120_000, 30), 6);
}
