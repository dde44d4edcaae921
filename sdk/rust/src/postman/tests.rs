use super::{Activity, CollectionBackup, MonitorRun, Payload, id::without_owner};
use crate::event::kind;

const UUID: &str = "711a2044-c4fc-441b-b169-233c07489031";

#[test]
fn a_run_is_read_in_either_spelling() {
    check_counters(
        r#"{"failedTests":1,"passedTests":2,"errors":3,"warnings":4,"requestCount":5,"totalLatency":6}"#,
        [Some(1), Some(2), Some(3), Some(4), Some(5), Some(6)],
    );
    check_counters(
        r#"{"failedTestCount":1,"passedTestCount":2,"errorCount":3,"warningCount":4}"#,
        [Some(1), Some(2), Some(3), Some(4), None, None],
    );
}

#[test]
fn counters_are_read_leniently() {
    check_counters(r#"{"failedTests":"12","errors":" 0 "}"#, [Some(12), None, Some(0), None, None, None]);
    check_counters(r#"{"failedTests":0.2,"errors":1e3}"#, [Some(1), None, Some(1000), None, None, None]);
    check_counters(r#"{"failedTests":null,"failedTestCount":3}"#, [Some(3), None, None, None, None, None]);
    check_counters(r#"{"failedTests":-1,"errors":"many","warnings":true,"requestCount":"NaN"}"#, [None; 6]);
    check_counters(r#"{"failedTests":9,"failedTests":0}"#, [Some(0), None, None, None, None, None]);
    check_counters("[1]", [None; 6]);
}

#[track_caller]
fn check_counters(metrics: &str, expected: [Option<u64>; 6]) {
    let run = run(&format!(r#"{{"monitor_name":"m","metrics":{metrics}}}"#));
    assert_eq!(
        [
            run.failed_tests,
            run.passed_tests,
            run.errors,
            run.warnings,
            run.request_count,
            run.total_latency_ms
        ],
        expected
    );
}

#[test]
fn names_are_trimmed_and_ids_kept() {
    let run = run(&format!(
        r#"{{"monitor_name":" Smoke ","monitor_uid":"{UUID}","collection_uid":"12-{UUID}","environment_name":"  ",
            "environment_uid":null,"user_id":127862,"extra":[{{}}],"metrics":{{}}}}"#
    ));
    assert_eq!(run.monitor_name.as_deref(), Some("Smoke"));
    assert_eq!(run.monitor_id(), Some(UUID));
    assert_eq!(run.collection_uid.as_deref(), Some(format!("12-{UUID}").as_str()));
    assert_eq!(run.collection_id(), Some(UUID));
    assert_eq!((run.environment_name.as_deref(), run.environment_id()), (None, None));
    assert_eq!(run.user_id.as_deref(), Some("127862"));
}

#[track_caller]
fn run(body: &str) -> MonitorRun {
    match Payload::read(kind::MONITOR_RUN, body.as_bytes()) {
        Payload::MonitorRun(run) => run,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_owner_is_only_taken_off_a_whole_uuid() {
    check_id(&format!("127862-{UUID}"), UUID);
    check_id(UUID, UUID);
    check_id("71102044-1234-4415-8169-233307489031", "71102044-1234-4415-8169-233307489031");
    check_id("12-34", "12-34");
    check_id(&format!("a1-{UUID}"), &format!("a1-{UUID}"));
    check_id(&format!("-{UUID}"), &format!("-{UUID}"));
}

#[track_caller]
fn check_id(uid: &str, expected: &str) {
    assert_eq!(without_owner(uid), expected);
}

#[test]
fn a_collection_is_the_exact_slice_of_the_body() {
    let collection =
        format!("{{ \"info\" : {{ \"_postman_id\":\"{UUID}\",\"name\":\" Pay\\u00e9 \" }} , \"item\": [] }}");
    let body = format!("{{\"a\":1, \"collection\" :  {collection} , \"b\":[]}}");
    let backup = backup(&body);
    assert_eq!(backup.bytes(), collection.as_bytes());
    assert_eq!((backup.id(), backup.name()), (Some(UUID), Some("Payé")));
}

#[test]
fn a_byte_order_mark_belongs_to_the_collection() {
    let collection = format!("\u{feff}{{\"info\":{{\"_postman_id\":\"{UUID}\"}}}}");
    for before in ["", "\u{feff}"] {
        let body = format!("{before}{{\"collection\":{collection}}}");
        let backup = backup(&body);
        assert_eq!(backup.bytes(), collection.as_bytes());
        assert_eq!(backup.id(), Some(UUID));
    }
}

#[test]
fn the_last_of_repeated_collections_counts() {
    let backup = backup(r#"{"collection":{"id":"first"},"collection":{"id":"last"}}"#);
    assert_eq!((backup.bytes(), backup.id()), (br#"{"id":"last"}"#.as_slice(), Some("last")));
}

#[test]
fn ids_and_names_have_fallbacks() {
    check_head(r#"{"info":{"_postman_id":"a","uid":"b","name":"n"},"id":"c"}"#, Some("a"), Some("n"));
    check_head(&format!(r#"{{"info":{{"uid":"12-{UUID}","id":"b"}}}}"#), Some(UUID), None);
    check_head(r#"{"info":{"id":"b","_postman_id":" "}}"#, Some("b"), None);
    check_head(r#"{"id":"v1","name":"old","folders":[]}"#, Some("v1"), Some("old"));
    check_head(r#"{"info":7,"uid":"u"}"#, Some("u"), None);
    check_head("{}", None, None);
}

#[track_caller]
fn check_head(collection: &str, id: Option<&str>, name: Option<&str>) {
    let body = format!("{{\"collection\":{collection}}}");
    let backup = backup(&body);
    assert_eq!((backup.id(), backup.name()), (id, name));
}

#[track_caller]
fn backup(body: &str) -> CollectionBackup<'_> {
    match Payload::read(kind::COLLECTION_BACKUP, body.as_bytes()) {
        Payload::CollectionBackup(backup) => backup,
        other => panic!("{other:?}"),
    }
}

#[test]
fn long_texts_are_cut_between_characters() {
    let run = run(&format!(r#"{{"monitor_name":"{}","metrics":{{}}}}"#, "€".repeat(1000)));
    assert_eq!(run.monitor_name, Some("€".repeat(341)));
}

#[test]
fn an_activity_is_read() {
    let body =
        format!(r#"{{"action":"update","model":"request","collection_uid":"12-{UUID}","message":"done "}}"#);
    let Payload::Activity(activity) = Payload::read(kind::ACTIVITY, body.as_bytes()) else {
        panic!("{body}")
    };
    assert_eq!(activity.collection_id(), Some(UUID));
    assert_eq!(
        activity,
        Activity {
            action: Some("update".to_owned()),
            model: Some("request".to_owned()),
            collection_uid: Some(format!("12-{UUID}")),
            message: Some("done".to_owned()),
            ..Activity::default()
        }
    );
}

#[test]
fn what_cannot_be_read_is_other() {
    let deep = format!("{{\"collection\":{}}}", "[".repeat(100_000));
    for kind in
        [kind::MONITOR_RUN, kind::COLLECTION_BACKUP, kind::ACTIVITY, kind::UNRECOGNIZED, "incident_opened"]
    {
        for body in [b"".as_slice(), b"[]", b"{", b"{} x", b"\xff", b"\xef\xbb\xbf", deep.as_bytes()] {
            assert!(matches!(Payload::read(kind, body), Payload::Other));
        }
    }
    assert!(matches!(Payload::read(kind::COLLECTION_BACKUP, br#"{"collection":[]}"#), Payload::Other));
    assert!(matches!(Payload::read(kind::UNRECOGNIZED, b"{}"), Payload::Other));
}

#[test]
fn nesting_of_any_depth_is_read() {
    let deep = format!("{{\"item\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(backup(&format!("{{\"collection\":{deep}}}")).bytes(), deep.as_bytes());
}
