use super::*;
use crate::testing::Log;

const START: i64 = 1_790_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp::from_unix_ms(START + ms)
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// How many of `tries` failures at this moment are not too many.
fn counted(failures: &Failures, from: &str, ms: i64, tries: usize) -> usize {
    (0..tries).filter(|_| failures.count(address(from), at(ms)).is_ok()).count()
}

#[test]
fn so_many_failures_a_minute_are_counted_and_more_must_wait() {
    let failures = Failures::new(6);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 99), 6);
    assert_eq!(failures.wait(address("192.0.2.1"), at(0)), Some(Duration::from_secs(10)));
    assert_eq!(counted(&failures, "192.0.2.1", 10_000, 99), 1, "they come back evenly");
    assert_eq!(counted(&failures, "192.0.2.1", 600_000, 99), 6, "and no more than so many");
}

#[test]
fn looking_counts_nothing() {
    let failures = Failures::new(1);
    for _ in 0..9 {
        assert_eq!(failures.wait(address("192.0.2.1"), at(0)), None);
    }
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 1);
}

#[test]
fn a_network_of_ipv6_counts_as_one_and_the_forms_of_an_address_too() {
    let failures = Failures::new(2);
    assert_eq!(counted(&failures, "2001:db8::1", 0, 1), 1);
    assert_eq!(counted(&failures, "2001:db8::ffff:2", 0, 9), 1);
    // Anew, because two addresses may share a place.
    let failures = Failures::new(2);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 1), 1);
    assert_eq!(counted(&failures, "::ffff:192.0.2.1", 0, 9), 1);
}

#[test]
fn many_addresses_do_not_make_one_forgotten() {
    let failures = Failures::new(1);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 1);
    for number in 0..20_000_u32 {
        let other = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        counted(&failures, &other.to_string(), 0, 1);
    }
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 0);
}

#[test]
fn another_bound_begins_anew() {
    let failures = Failures::new(1);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 1);
    failures.put(1);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 0, "the same bound goes on");
    failures.put(3);
    assert_eq!(counted(&failures, "192.0.2.1", 0, 9), 3);
}

#[test]
fn a_flood_is_told_once_and_anew_when_it_was_quiet() {
    let failures = Failures::new(6);
    let (log, _guard) = Log::start();
    // Ten minutes, in which one fits every ten seconds.
    for second in 0..600 {
        counted(&failures, "192.0.2.1", second * 1_000, 3);
    }
    let line = "WARN many requests with wrong API keys come from this address, they are slowed down \
                address=192.0.2.1";
    assert_eq!(log.lines(), [line]);
    counted(&failures, "192.0.2.1", 599_000 + 60_000, 99);
    assert_eq!(log.lines(), [line]);
}
