use reqwest::header::{HeaderName, HeaderValue};

use super::*;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(1_795_341_600_000 + seconds * 1000)
}

/// How many seconds nobody is asked after an answer.
#[track_caller]
fn check(status: u16, headers: &[(&'static str, &'static str)], seconds: Option<u64>) {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let mut rest = Rest::default();
    let noted = rest.note(StatusCode::from_u16(status).unwrap(), &headers.iter().map(pair).collect(), at(0));
    assert_eq!(noted.map(|(wait, _)| wait.as_secs()), seconds, "{status} {headers:?}");
    let end = i64::try_from(seconds.unwrap_or(0)).unwrap();
    assert_eq!((rest.is_resting(at(end - 1)), rest.is_resting(at(end))), (seconds.is_some(), false));
}

#[test]
fn an_answer_that_is_well_asks_for_no_rest() {
    check(200, &[("ratelimit-remaining", "12"), ("ratelimit-reset", "30")], None);
    check(404, &[], None);
    check(500, &[], None);
}

#[test]
fn limits_are_honoured_under_postmans_own_names() {
    check(429, &[("retryafter", "7")], Some(7));
    check(429, &[("x-ratelimit-retryafter", "9")], Some(9));
    check(429, &[("retry-after", "11")], Some(11));
    check(429, &[("retryafter", "soon")], Some(60));
    check(429, &[], Some(60));
    check(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "20")], Some(20));
    check(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795341640")], Some(40));
    check(200, &[("ratelimit", "limit=300, remaining=0, reset=12"), ("ratelimit-reset", "12")], Some(12));
    check(200, &[("ratelimit-remaining-month", "0")], Some(3600));
    check(429, &[("retryafter", "999999")], Some(3600));
}

#[test]
fn a_key_that_may_not_ask_is_not_tried_all_the_time() {
    check(401, &[], Some(600));
    check(403, &[], Some(600));
}

#[test]
fn a_monitor_that_is_not_shown_is_told_now_and_then() {
    let mut rest = Rest::default();
    let told = [0, 1, 3599, 3601].map(|seconds| rest.may_tell_not_found(at(seconds)));
    assert_eq!(told, [true, false, false, true]);
}
