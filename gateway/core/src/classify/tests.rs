use proptest::prelude::*;

use super::*;

/// A run as it was captured from Postman, ids and counters kept.
const RUN: &str = r#"{
	"collection_name": "End To End Tests ",
	"collection_uid": "127862-711a2044-c4fc-441b-b169-233c07489031",
	"monitor_name": "End-to-End test Master",
	"monitor_uid": "1e8eea47-e976-4b60-a122-11a5ba65085a",
	"environment_name": "OpenBanking Engineering K8s",
	"environment_uid": "127862-51eb6452-10d2-45d3-82ae-fc4c67b59b7c",
	"metrics": {"errors": 0, "failedTests": 0, "passedTests": 248, "requestCount": 117, "totalLatency": 28348, "warnings": 0}
}"#;

fn seen(body: &str) -> Classification {
    classify(body.as_bytes(), "acme")
}

#[track_caller]
fn check_kind(body: &str, kind: Kind) {
    let classification = seen(body);
    assert_eq!(classification.kind, kind, "{:?}", classification.note);
}

#[track_caller]
fn check_verdict(metrics: &str, verdict: Verdict) {
    assert_eq!(seen(&format!(r#"{{"monitor_name":"m","metrics":{metrics}}}"#)).verdict, Some(verdict));
}

#[track_caller]
fn check_note(body: &[u8], note: &str) {
    let classification = classify(body, "acme");
    assert_eq!(classification.kind, Kind::Unrecognized);
    assert!(classification.note.as_deref().unwrap().contains(note), "{:?}", classification.note);
    assert_eq!(classification.ordering_key, "source:acme");
}

#[test]
fn reads_a_captured_monitor_run() {
    let run = seen(RUN);
    assert_eq!(run.kind, Kind::MonitorRun);
    assert_eq!(run.verdict, Some(Verdict::Passed));
    assert_eq!(run.subject.as_deref(), Some("1e8eea47-e976-4b60-a122-11a5ba65085a"));
    assert_eq!(run.ordering_key, "monitor:1e8eea47-e976-4b60-a122-11a5ba65085a");
    assert_eq!(run.facts.collection_id.as_deref(), Some("711a2044-c4fc-441b-b169-233c07489031"));
    assert_eq!(run.facts.collection_name.as_deref(), Some("End To End Tests "));
    assert_eq!(run.facts.environment_id.as_deref(), Some("51eb6452-10d2-45d3-82ae-fc4c67b59b7c"));
}

#[test]
fn reads_a_reported_activity() {
    let activity = seen(
        r#"{"action":"update","model":"request","user_id":"12345","model_uid":"11-22-33",
            "collection_uid":"34-44-56","collection_name":"Test collection","message":"…"}"#,
    );
    assert_eq!(activity.kind, Kind::Activity);
    assert_eq!(activity.subject.as_deref(), Some("34-44-56"));
    assert_eq!(activity.ordering_key, "activity:34-44-56");
    assert_eq!(activity.facts.action.as_deref(), Some("update"));
}

#[test]
fn names_a_backup_from_any_collection_format() {
    let check = |collection: &str, id: Option<&str>, name: Option<&str>| {
        let backup = seen(&format!(r#"{{"collection":{collection}}}"#));
        assert_eq!(backup.kind, Kind::CollectionBackup);
        assert_eq!(backup.subject.as_deref(), id, "{collection}");
        assert_eq!(backup.facts.collection_name.as_deref(), name, "{collection}");
    };
    const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
    check(&format!(r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"item":[]}}"#), Some(ID), Some("Shop"));
    check(&format!(r#"{{"info":{{"uid":"42-{ID}","name":"Shop"}}}}"#), Some(ID), Some("Shop"));
    check(&format!(r#"{{"id":"{ID}","name":"v1","order":[]}}"#), Some(ID), Some("v1"));
    check(r#"{"item":[]}"#, None, None);
}

#[test]
fn strips_an_owner_prefix_only_from_a_whole_uuid() {
    let subject = |uid: &str| seen(&format!(r#"{{"monitor_uid":"{uid}","metrics":{{}}}}"#)).subject.unwrap();
    const PLAIN: &str = "12345678-1e6b-4b60-a122-11a5ba65085a";
    assert_eq!(subject(PLAIN), PLAIN, "the first group of a plain UUID may be all digits");
    assert_eq!(subject(&format!("987-{PLAIN}")), PLAIN);
    assert_eq!(subject("12-not-a-uuid"), "12-not-a-uuid");
}

#[test]
fn a_run_fails_by_either_spelling_and_either_counter() {
    check_verdict(r#"{"failedTests":1,"errors":0}"#, Verdict::Failed);
    check_verdict(r#"{"failedTests":0,"errors":3}"#, Verdict::Failed);
    check_verdict(r#"{"failedTestCount":1}"#, Verdict::Failed);
    check_verdict(r#"{"errorCount":"2"}"#, Verdict::Failed);
    check_verdict(r#"{"failedTestCount":0,"errorCount":"0"}"#, Verdict::Passed);
    check_verdict(r#"{"failedTests":0.0,"errors":0}"#, Verdict::Passed);
}

#[test]
fn a_run_without_both_counters_is_never_taken_for_passed() {
    check_verdict("{}", Verdict::Unknown);
    check_verdict(r#"{"passedTests":12}"#, Verdict::Unknown);
    check_verdict(r#"{"failedTests":0}"#, Verdict::Unknown);
    check_verdict(r#"{"failedTests":null,"errors":"many"}"#, Verdict::Unknown);
    check_verdict(r#"{"failedTests":-1,"errors":0}"#, Verdict::Unknown);
}

#[test]
fn a_run_without_an_id_is_ordered_by_its_name() {
    let run = seen(r#"{"monitor_name":"Constructed ","metrics":{"failedTestCount":1}}"#);
    assert_eq!((run.subject, run.ordering_key.as_str()), (None, "monitor-name:Constructed "));
}

#[test]
fn near_misses_are_kept_as_unrecognized() {
    check_kind(r#"{"metrics":{}}"#, Kind::Unrecognized);
    check_kind(r#"{"metrics":[],"monitor_name":"m"}"#, Kind::Unrecognized);
    check_kind(r#"{"monitor_name":"m"}"#, Kind::Unrecognized);
    check_kind(r#"{"collection":[{}]}"#, Kind::Unrecognized);
    check_kind(r#"{"collection":null}"#, Kind::Unrecognized);
    check_kind(r#"{"action":"create"}"#, Kind::Unrecognized);
    // A guess at this webhook that is published elsewhere, and that Postman does not send.
    check_kind(r#"{"monitorId":"1","status":"failed","failures":[]}"#, Kind::Unrecognized);
}

#[test]
fn a_monitor_run_is_known_by_any_monitor_field() {
    check_kind(r#"{"metrics":{},"monitor_region":"eu"}"#, Kind::MonitorRun);
}

#[test]
fn arrays_and_repeated_keys_do_not_fool_it() {
    check_kind(r#"[{"collection":{}}]"#, Kind::Unrecognized);
    check_kind(r#"{"collection":{},"collection":1}"#, Kind::Unrecognized);
    check_kind(r#"{"collection":1,"collection":{}}"#, Kind::CollectionBackup);
    check_verdict(r#"{"errors":0,"failedTests":0,"failedTests":2}"#, Verdict::Failed);
}

#[test]
fn escaped_keys_count_as_what_they_spell() {
    check_kind(r#"{"\u0063ollection":{}}"#, Kind::CollectionBackup);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    check_kind("\u{feff}{\"collection\":{}}", Kind::CollectionBackup);
    check_kind("{\"collection\": \u{feff}{\"info\":{\"name\":\"Shop\"}}}", Kind::CollectionBackup);
}

#[test]
fn bodies_that_cannot_be_read_get_a_note() {
    check_note(b"", "empty");
    check_note(b"hello", "not JSON");
    check_note(b"{\"collection\":{}", "not JSON");
    check_note(b"{} trailing", "not JSON");
    check_note(b"[1,2]", "not a JSON object");
    check_note(b"\"text\"", "not a JSON object");
    check_note(b"{\"collection\":{\"name\":\"\xff\"}}", "not valid UTF-8");
    check_note(b"{}", "none of Postman's webhook shapes");
}

#[test]
fn nesting_of_any_depth_costs_no_stack() {
    let deep = 500_000;
    let body = format!("{{\"collection\":{}{}}}", "{\"a\":".repeat(deep) + "1", "}".repeat(deep));
    check_kind(&body, Kind::CollectionBackup);
    let body = format!("{{\"other\":{}{}}}", "[".repeat(deep), "]".repeat(deep));
    check_kind(&body, Kind::Unrecognized);
}

#[test]
fn long_texts_are_cut_at_a_character() {
    let run = seen(&format!(r#"{{"monitor_name":"{}","metrics":{{}}}}"#, "é".repeat(5000)));
    let name = run.facts.monitor_name.unwrap();
    assert_eq!(name.len(), crate::limits::FACT_BYTES_MAX);
}

proptest! {
    #[test]
    fn never_panics(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let classification = classify(&body, "acme");
        prop_assert_eq!(classification.note.is_some(), classification.kind == Kind::Unrecognized);
    }

    #[test]
    fn a_failure_counter_above_zero_is_always_failed(
        failed in 1u32..9999, spelling in prop_oneof![Just("failedTests"), Just("failedTestCount"), Just("errors"), Just("errorCount")],
        quoted in any::<bool>(),
    ) {
        let value = if quoted { format!("\"{failed}\"") } else { failed.to_string() };
        check_verdict(&format!(r#"{{"{spelling}":{value}}}"#), Verdict::Failed);
    }
}
