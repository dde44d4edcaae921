use std::{fs, path::Path};

use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness, StartError, TestOutcome};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const RECEIVED: u64 = 1_795_289_807_042;

fn start(root: &Path) -> Result<PluginHarness<Backup>, StartError> {
    let config = json!({ "storage": "fs", "root": root });
    PluginHarness::builder().config(config).now_unix_ms(RECEIVED).start()
}

fn started() -> (TempDir, PluginHarness<Backup>) {
    let root = tempfile::tempdir().unwrap();
    let harness = start(root.path()).unwrap();
    (root, harness)
}

/// Delivers a collection; its outcome and the file it is in.
#[track_caller]
fn keep(root: &TempDir, harness: &PluginHarness<Backup>, collection: &str) -> (TestOutcome, Vec<u8>) {
    let outcome = harness.deliver(&EventFixture::collection_backup(collection));
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    let record = outcome.record.as_ref().unwrap();
    let bytes = fs::read(root.path().join(record["file"].as_str().unwrap())).unwrap();
    (outcome, bytes)
}

#[track_caller]
fn check_failure(error: &Error, expected: &str) {
    let seen = match failure(error) {
        Failure::Retry { code, .. } => format!("retry {code}"),
        Failure::Permanent { code, .. } => format!("permanent {code}"),
        Failure::Misconfigured { code, .. } => format!("misconfigured {code}"),
        Failure::RateLimited { .. } => "rate limited".to_owned(),
    };
    assert_eq!(seen, expected, "{error:?}");
}

#[track_caller]
fn check_config(config: Value, path: &str, message: &str) {
    let faults = PluginHarness::<Backup>::validate(&config);
    let [fault] = &faults[..] else { panic!("one fault expected: {faults:?}") };
    assert_eq!(fault.path, path, "{fault:?}");
    assert!(fault.message.contains(message), "{fault:?}");
}

#[test]
fn a_collection_is_kept_byte_for_byte() {
    let (root, harness) = started();
    let collection = format!(
        "{{\r\n \"info\" :{{\"name\":\" Käse \",\"_postman_id\":\"{ID}\"}} , \"x\":1.50, \"item\":[]}}"
    );
    let (outcome, bytes) = keep(&root, &harness, &collection);
    assert_eq!(String::from_utf8(bytes).unwrap(), collection);

    let record = outcome.record.unwrap();
    let file = record["file"].as_str().unwrap();
    assert!(file.starts_with(&format!("Käse-{ID}/2026-11-21T19-36-47.042Z-")), "{file}");
    assert_eq!(record["bytes"], collection.len());
    assert_eq!(record["unchanged"], false);
    assert!(file.contains(&record["sha256"].as_str().unwrap()[..12]), "{record}");
}

#[test]
fn a_mark_before_the_collection_is_kept_too() {
    let (root, harness) = started();
    let collection = "\u{feff}{\"info\":{\"name\":\"BOM\"}}";
    let (_, bytes) = keep(&root, &harness, collection);
    assert_eq!(bytes, collection.as_bytes());
}

#[test]
fn an_unchanged_collection_is_told_so() {
    let (root, harness) = started();
    let (first, _) = keep(&root, &harness, "{\"name\":\"v1\",\"id\":\"7\"}");
    harness.advance(std::time::Duration::from_secs(60));
    let (second, _) = keep(&root, &harness, "{\"name\":\"v1\",\"id\":\"7\"}");
    let (first, second) = (first.record.unwrap(), second.record.unwrap());
    assert_eq!(second["unchanged"], true);
    assert_eq!(second["file"], first["file"]);
    assert_eq!(fs::read_dir(root.path().join("v1-7")).unwrap().count(), 1);
}

#[test]
fn collections_side_by_side_are_all_kept() {
    let (root, harness) = started();
    let events: Vec<_> = (0..50)
        .map(|n| {
            EventFixture::collection_backup(format!(
                "{{\"info\":{{\"name\":\"Shop\",\"_postman_id\":\"{n}\"}}}}"
            ))
        })
        .collect();
    let in_flight: Vec<_> = events.iter().map(|event| harness.start_delivery(event)).collect();
    for delivery in in_flight {
        assert_eq!(delivery.wait().unwrap().kind, OutcomeKind::Delivered);
    }
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 50);
}

#[test]
fn other_kinds_are_skipped() {
    let (_root, harness) = started();
    let outcome = harness.deliver(&EventFixture::monitor_run(1));
    assert_eq!(outcome.kind, OutcomeKind::Skipped);
    assert_eq!(outcome.message, "monitor_run is no collection backup");
}

#[test]
fn a_body_without_a_collection_is_no_case_for_another_try() {
    let (_root, harness) = started();
    for body in ["", "{}", "{\"collection\":7}", "\u{feff}", "{\"collection\":{"] {
        let outcome = harness.deliver(&EventFixture::raw(kind::COLLECTION_BACKUP, body));
        assert_eq!(
            (outcome.kind, outcome.code.as_str()),
            (OutcomeKind::Permanent, "no_collection"),
            "{body}"
        );
    }
}

#[test]
fn a_root_that_cannot_be_created_is_the_operators_to_mend() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let Err(StartError::Create { config, message }) = start(&file.join("below")) else { panic!("started") };
    assert!(config, "{message}");
    assert!(
        message.contains("cannot create the folder") && message.contains("choose another `root`"),
        "{message}"
    );
}

#[test]
fn faults_of_the_file_system_are_told_apart() {
    let error = |kind: io::ErrorKind| Error::Io { doing: "write to", path: "/b".into(), source: kind.into() };
    check_failure(&error(io::ErrorKind::StorageFull), "retry storage_full");
    check_failure(&error(io::ErrorKind::QuotaExceeded), "retry storage_full");
    check_failure(&error(io::ErrorKind::PermissionDenied), "retry permission_denied");
    check_failure(&error(io::ErrorKind::ReadOnlyFilesystem), "retry read_only");
    check_failure(&error(io::ErrorKind::Other), "retry io");
    let root = |kind: io::ErrorKind| Error::Root { root: "/b".into(), source: kind.into() };
    check_failure(&root(io::ErrorKind::StorageFull), "retry storage_full");
    check_failure(&root(io::ErrorKind::PermissionDenied), "misconfigured root");
    check_failure(&root(io::ErrorKind::NotADirectory), "misconfigured root");
    check_failure(&Error::Changed { path: "/b/c".into() }, "permanent file_changed");
    check_failure(&Error::Interrupted, "retry interrupted");
}

#[test]
fn wrong_settings_are_named() {
    check_config(json!({}), "", "root");
    check_config(json!({ "root": "data" }), "/root", "absolute");
    check_config(json!({ "root": "/data", "storage": "s3" }), "/storage", "the only one is \"fs\"");
    check_config(json!({ "root": "/data", "folder": "x" }), "/folder", "unknown field");
    assert_eq!(PluginHarness::<Backup>::validate(&json!({ "root": "/data" })), []);
}

#[test]
fn the_manifest_is_what_operators_know() {
    let mut manifest = PluginHarness::<Backup>::manifest().unwrap();
    let schema = manifest.as_object_mut().unwrap().remove("config_schema").unwrap();
    assert_eq!(
        manifest,
        json!({
            "manifest": 1,
            "abi": "1.1",
            "id": "backup",
            "name": "Collection backup",
            "description": "Keeps every version of every collection that Postman backs up, in a folder",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock"],
            "kinds": ["collection_backup"],
            "concurrency": 4,
            "network": "none",
            "filesystem": [{ "path": "{config.root}", "access": "write" }],
        })
    );
    let settings: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(settings, ["storage", "root"]);
}
