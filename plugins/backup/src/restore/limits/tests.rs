use reqwest::header::{HeaderName, HeaderValue};

use super::*;

fn headers(all: &[(&str, &str)]) -> HeaderMap {
    let all = all.iter();
    all.map(|(name, value)| (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

#[track_caller]
fn check_last(all: &[(&str, &str)], seconds: Option<u64>) {
    assert_eq!(after_last(&headers(all), 1_000_000_000_000), seconds.map(Duration::from_secs), "{all:?}");
}

#[test]
fn the_last_request_is_known_by_either_header() {
    check_last(&[], None);
    check_last(&[("ratelimit", "limit=300, remaining=1, reset=5")], None);
    check_last(&[("ratelimit", "limit=300, remaining=0, reset=5")], Some(5));
    check_last(&[("ratelimit-remaining", "0"), ("ratelimit-reset", "6")], Some(6));
    check_last(&[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1000000007")], Some(7));
    check_last(&[("x-ratelimit-remaining", "0")], Some(60));
    check_last(&[("x-ratelimit-remaining", "none")], None);
}

#[test]
fn a_refusal_is_waited_for_at_least_a_second() {
    for (all, seconds) in [
        (&[("retryafter", "0")][..], 1),
        (&[("retryafter", "soon"), ("ratelimit-reset", "3")], 3),
        (&[("retry-after", "Sun, 09 Sep 2001 01:46:44 GMT")], 4),
        (&[("retry-after", "Sat, 09 Sep 2000 01:46:44 GMT")], 1),
        (&[], 60),
    ] {
        assert_eq!(after_refusal(&headers(all), 1_000_000_000_000), Duration::from_secs(seconds), "{all:?}");
    }
}
