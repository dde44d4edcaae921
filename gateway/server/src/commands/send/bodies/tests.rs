use postroom_core::{
    classify::{Classification, classify},
    event::{Kind, Verdict},
};

use super::*;

#[track_caller]
fn check(body: &[u8], kind: Kind, verdict: Option<Verdict>) -> Classification {
    let found = classify(body, "postman");
    assert_eq!((found.kind, found.verdict, found.note.clone()), (kind, verdict, None));
    found
}

#[test]
fn both_spellings_of_a_run_have_the_right_verdict() {
    for spelling in [Spelling::Documented, Spelling::Count] {
        for (failing, verdict) in [(true, Verdict::Failed), (false, Verdict::Passed)] {
            let body = monitor_run("Smoke", failing, spelling, 7);
            check(&body, Kind::MonitorRun, Some(verdict));
        }
    }
}

#[test]
fn runs_of_one_monitor_share_its_lane_and_those_of_another_do_not() {
    let key = |monitor: &str, failing| {
        let body = monitor_run(monitor, failing, Spelling::Documented, 0);
        check(&body, Kind::MonitorRun, Some(if failing { Verdict::Failed } else { Verdict::Passed }))
            .ordering_key
    };
    assert_eq!(key("Smoke", true), key("Smoke", false));
    assert_ne!(key("Smoke", true), key("Deep", true));
}

#[test]
fn a_backup_is_one_and_changes_with_its_number() {
    let first = check(&collection_backup(0), Kind::CollectionBackup, None);
    let second = check(&collection_backup(1), Kind::CollectionBackup, None);
    assert_eq!(first.subject, second.subject);
    assert!(first.subject.is_some());
    assert_ne!(collection_backup(0), collection_backup(1));
}

#[test]
fn a_given_collection_is_wrapped_byte_for_byte() {
    let collection = b"{ \"info\" :\t{\"name\": \"\\u00e4\", \"_postman_id\": \"x\"} }".as_slice();
    let body = backup_of(collection);
    check(&body, Kind::CollectionBackup, None);
    assert!(body.windows(collection.len()).any(|window| window == collection));
}

#[test]
fn an_activity_is_one() {
    for number in 0..3 {
        let found = check(&activity(number), Kind::Activity, None);
        assert_eq!(found.facts.model.as_deref(), Some("request"));
        assert!(found.subject.is_some());
    }
}
