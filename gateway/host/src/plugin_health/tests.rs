use postroom_abi::{
    POSTROOM_E_CONFIG, POSTROOM_E_PANIC, POSTROOM_E_UNAVAILABLE, POSTROOM_OK, postroom_status,
};
use postroom_core::secret::Secret;
use serde_json::json;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_700_000_000_000);

fn health(status: postroom_status, detail: &str) -> PluginHealth {
    let mask = Mask::new([&Secret::new("s3cret-token")]);
    PluginHealth::of(&HealthReport { status, detail_json: detail.to_owned() }, &mask, None, NOW)
}

#[track_caller]
fn check(status: postroom_status, detail: &str, state: HealthState, expected: Value) {
    let health = health(status, detail);
    assert_eq!((health.state, json!(health.detail), health.since), (state, expected, NOW));
}

#[test]
fn an_answer_is_a_state_and_an_object() {
    check(POSTROOM_OK, "", HealthState::Ok, json!(null));
    check(POSTROOM_OK, r#"{"queue":3}"#, HealthState::Ok, json!({ "queue": 3 }));
    check(POSTROOM_E_UNAVAILABLE, "", HealthState::Unavailable, json!(null));
    check(
        POSTROOM_E_CONFIG,
        r#"{"message":"no such channel"}"#,
        HealthState::Misconfigured,
        json!({ "message": "no such channel" }),
    );
}

#[test]
fn a_status_that_is_no_answer_counts_as_unavailable_and_is_told() {
    let told = json!({ "message": "health() answered status -12 (panic)" });
    check(POSTROOM_E_PANIC, "", HealthState::Unavailable, told);
    check(
        4711,
        "",
        HealthState::Unavailable,
        json!({ "message": "health() answered status 4711 (unknown)" }),
    );
    check(POSTROOM_E_PANIC, r#"{"message":"own"}"#, HealthState::Unavailable, json!({ "message": "own" }));
}

#[test]
fn details_that_are_too_large_or_no_object_are_left_out() {
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(DETAIL_BYTES_MAX));
    for detail in ["[]", "7", "\"text\"", "{", "{\"a\":1}}", &large] {
        check(POSTROOM_OK, detail, HealthState::Ok, json!(null));
    }
}

#[test]
fn secrets_are_taken_out_of_details() {
    let detail = r#"{"message":"no entry with s3cret-token","s3cret-token":1}"#;
    let health = health(POSTROOM_E_UNAVAILABLE, detail);
    assert_eq!(json!(health.detail), json!({ "message": "no entry with ***", "***": 1 }));
    assert_eq!(health.message(), "no entry with ***");
}

#[test]
fn a_state_is_as_old_as_its_first_answer() {
    let first = health(POSTROOM_E_UNAVAILABLE, "");
    let later = NOW.plus(std::time::Duration::from_secs(30));
    let again = |status| {
        let report = HealthReport { status, detail_json: String::new() };
        PluginHealth::of(&report, &Mask::default(), Some(&first), later).since
    };
    assert_eq!(again(POSTROOM_E_UNAVAILABLE), NOW);
    assert_eq!(again(POSTROOM_OK), later);
}
