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

#[test]
fn a_note_says_where_a_body_goes_wrong() {
    check_note(b"{\"a\":1,}", "a key was expected at byte 7");
    check_note(b"{\"a\" 1}", "`:` was expected at byte 5");
    check_note(b"[1 2]", "`,` or `]` was expected at byte 3");
    check_note(b"{\"a\":01}", "`,` or `}` was expected at byte 6");
    check_note(b"{\"a\":\"\n\"}", "an escape for a control character was expected at byte 6");
    check_note(b"{\"a\":nul}", "`true`, `false` or `null` was expected at byte 8");
    check_note(b"{\"a\":", "it ends after 5 bytes");
}

#[test]
fn a_text_that_is_no_text_names_nothing() {
    let run = seen(r#"{"monitor_name":"a\ud800","monitor_uid":"\udc00\ud800","metrics":{"errors":1}}"#);
    assert_eq!((run.subject, run.facts.monitor_name), (None, None));
    let run = seen(r#"{"monitor_name":"\ud83d\ude00 \u00e9\n","metrics":{}}"#);
    assert_eq!(run.facts.monitor_name.as_deref(), Some("\u{1f600} é\n"));
}

#[test]
fn what_a_repeated_object_said_before_is_forgotten() {
    check_verdict(r#"{"errors":3},"metrics":{"errors":0,"failedTests":0}"#, Verdict::Passed);
    let backup = seen(r#"{"collection":{"info":{"name":"a","id":"1"},"name":"b","info":{"id":"2"}}}"#);
    assert_eq!((backup.subject.as_deref(), backup.facts.collection_name.as_deref()), (Some("2"), Some("b")));
    let backup = seen(r#"{"collection":{"info":{"name":"a"}},"collection":{}}"#);
    assert_eq!(backup.facts.collection_name, None);
}

#[test]
fn fields_count_at_their_own_place_only() {
    check_kind(r#"{"body":{"collection":{}},"list":[{"collection":{}}]}"#, Kind::Unrecognized);
    let backup = seen(r#"{"collection":{"item":[{"name":"x","info":{"name":"y"}}],"auth":{"name":"z"}}}"#);
    assert_eq!(backup.facts.collection_name, None);
}

/// Gives a body in pieces of a size.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.len().min(self.1).min(room.len());
        let (piece, rest) = self.0.split_at(bytes);
        room[..bytes].copy_from_slice(piece);
        self.0 = rest;
        Ok(bytes)
    }
}

#[test]
fn a_body_that_cannot_be_read_is_an_error() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Other.into())
        }
    }
    assert!(classify_reader(br#"{"collection":"#.chain(Broken), "acme").is_err());
}

/// Parts of bodies as strangers may send them, put together at random.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let part = proptest::sample::select(vec![
        &b"{"[..],
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b" ",
        b"\n",
        b"\"",
        b"\\",
        b"1",
        b"-",
        b"0",
        b"1.5e+3",
        b"01",
        b"2.",
        b"true",
        b"fals",
        b"null",
        b"\"metrics\"",
        b"\"collection\"",
        b"\"info\"",
        b"\"name\"",
        b"\"errors\"",
        b"\"monitor_x\"",
        b"\"monitor_uid\":\"1-a\"",
        b"\"action\":1",
        b"\"model\":{}",
        b"\"\\u0041\"",
        b"\"\\ud800\"",
        b"\"\\q\"",
        b"\"long text without an end in sight\"",
        b"\xEF\xBB\xBF",
        b"\xC3\xA9",
        b"\xC3",
        b"\xF0\x9F\x98\x80",
        b"\xFF",
        b"\"collection\":{",
        b"\"metrics\":{\"errors\":",
        b"\"\xC3\xA9\"",
        b"{}",
        b"\x01",
    ]);
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

/// An object of fields that matter, some of them more than once, with values of all kinds.
fn likely() -> impl Strategy<Value = String> {
    let key = proptest::sample::select(vec![
        "metrics",
        "collection",
        "action",
        "model",
        "monitor_uid",
        "monitor_name",
        "monitor_x",
        "info",
        "name",
        "id",
        "_postman_id",
        "failedTests",
        "errors",
        "errorCount",
        "collection_uid",
        "x",
    ]);
    let value = proptest::sample::select(vec![
        "1",
        "0",
        "-1",
        "\"0\"",
        "\" 7 \"",
        "null",
        "true",
        "[]",
        "[{\"errors\":1}]",
        "{}",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
    ]);
    let object = |fields: Vec<(&'static str, String)>| {
        let fields: Vec<String> = fields.iter().map(|(key, value)| format!("\"{key}\": {value}")).collect();
        format!("{{{}}}", fields.join(","))
    };
    let leaf = value.prop_map(str::to_owned);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        proptest::collection::vec((key.clone(), inner), 0..6).prop_map(object)
    })
}

/// The same rules, said over a parsed body.
fn by_the_book(body: &str) -> (Kind, Option<Verdict>, Option<String>) {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let Some(fields) = body.as_object() else { return (Kind::Unrecognized, None, None) };
    let counter = |key: &str| {
        let value = &body["metrics"][key];
        let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())?;
        (number.is_finite() && number >= 0.0).then_some(number)
    };
    let text =
        |value: &serde_json::Value| value.as_str().filter(|it| !it.trim().is_empty()).map(str::to_owned);
    let present = |key: &str| fields.get(key).is_some_and(|value| !value.is_null());
    if body["metrics"].is_object() && fields.keys().any(|key| key.starts_with("monitor_")) {
        let failed = counter("failedTests").or_else(|| counter("failedTestCount"));
        let errors = counter("errors").or_else(|| counter("errorCount"));
        let verdict = match (failed, errors) {
            (Some(count), _) | (_, Some(count)) if count > 0.0 => Verdict::Failed,
            (Some(_), Some(_)) => Verdict::Passed,
            _ => Verdict::Unknown,
        };
        (Kind::MonitorRun, Some(verdict), text(&body["monitor_uid"]))
    } else if body["collection"].is_object() {
        let collection = &body["collection"];
        let ids = [&collection["info"], collection];
        let id = ids.iter().find_map(|it| ["_postman_id", "uid", "id"].iter().find_map(|key| text(&it[key])));
        (Kind::CollectionBackup, None, id)
    } else if present("action") && present("model") {
        (Kind::Activity, None, text(&body["collection_uid"]))
    } else {
        (Kind::Unrecognized, None, None)
    }
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

    #[test]
    fn what_counts_as_json_is_what_a_parser_takes(body in hostile()) {
        let classification = classify(&body, "acme");
        let note = classification.note.unwrap_or_default();
        let Ok(text) = std::str::from_utf8(&body) else {
            prop_assert_eq!(note, "the body is not valid UTF-8");
            return Ok(());
        };
        if !text.contains('\u{feff}') && !body.is_empty() {
            let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
            prop_assert_eq!(note.contains("not JSON:"), parsed.is_err(), "{:?} {:?}", note, parsed);
        }
    }

    #[test]
    fn pieces_of_any_size_give_the_same_answer(body in hostile(), size in 1usize..9) {
        prop_assert_eq!(classify_reader(Pieces(&body, size), "acme").unwrap(), classify(&body, "acme"));
    }

    #[test]
    fn likely_bodies_are_judged_by_the_rules(body in likely(), size in 1usize..40) {
        let seen = classify(body.as_bytes(), "acme");
        prop_assert_eq!((seen.kind, seen.verdict, seen.subject.clone()), by_the_book(&body));
        prop_assert_eq!(classify_reader(Pieces(body.as_bytes(), size), "acme").unwrap(), seen);
    }
}
