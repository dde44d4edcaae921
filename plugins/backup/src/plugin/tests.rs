mod git;

use std::{fs, path::Path};

use postroom_sdk::{
    ActionError,
    testing::{EventFixture, OutcomeKind, PluginHarness, StartError, TestOutcome},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::storage::StorageError;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const RECEIVED: u64 = 1_795_289_807_042;

fn start_with(root: &Path, more: Value) -> Result<PluginHarness<Backup>, StartError> {
    let mut config = json!({ "storage": "fs", "root": root });
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    PluginHarness::builder().config(config).now_unix_ms(RECEIVED).start()
}

fn started() -> (TempDir, PluginHarness<Backup>) {
    let root = tempfile::tempdir().unwrap();
    let harness = start_with(root.path(), json!({})).unwrap();
    (root, harness)
}

/// Delivers a collection; its outcome, and the copy of the newest version.
#[track_caller]
fn keep(root: &TempDir, harness: &PluginHarness<Backup>, collection: &str) -> (TestOutcome, Vec<u8>) {
    let outcome = harness.deliver(&EventFixture::collection_backup(collection));
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    let record = outcome.record.as_ref().unwrap();
    let copy = fs::read(root.path().join(record["copy"].as_str().unwrap())).unwrap();
    (outcome, copy)
}

fn shop(request: &str) -> String {
    format!(r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"item":[{{"name":"{request}"}}]}}"#)
}

#[track_caller]
fn check_failure(source: StorageError, expected: &str) {
    let error = Error::Storage { doing: "write", path: "a/b".to_owned(), source };
    let failure = failure(&error);
    let seen = match &failure {
        Failure::Retry { code, .. } => format!("retry {code}"),
        Failure::Permanent { code, .. } => format!("permanent {code}"),
        Failure::Misconfigured { code, .. } => format!("misconfigured {code}"),
        Failure::RateLimited { .. } => "rate limited".to_owned(),
    };
    assert_eq!(seen, expected, "{error:?}");
    assert!(failure.to_string().starts_with("cannot write a/b: "), "{failure}");
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
    let (outcome, copy) = keep(&root, &harness, &collection);
    assert_eq!(String::from_utf8(copy).unwrap(), collection);

    let record = outcome.record.unwrap();
    assert_eq!(record["copy"], format!("latest/Käse-{ID}.json"));
    assert_eq!(record["bytes"], collection.len());
    assert_eq!(record["unchanged"], false);
    let (version, sha256) = (record["version"].as_str().unwrap(), record["sha256"].as_str().unwrap());
    assert_eq!(version, format!("2026-11-21T19-36-47.042Z-{}", &sha256[..12]));
    let file = root.path().join(record["file"].as_str().unwrap());
    assert_eq!(zstd::decode_all(&fs::read(file).unwrap()[..]).unwrap(), collection.as_bytes());
}

#[test]
fn a_mark_before_the_collection_is_kept_too() {
    let (root, harness) = started();
    let collection = "\u{feff}{\"info\":{\"name\":\"BOM\"}}";
    let (_, copy) = keep(&root, &harness, collection);
    assert_eq!(copy, collection.as_bytes());
}

#[test]
fn an_unchanged_collection_is_told_so() {
    let (root, harness) = started();
    let (first, _) = keep(&root, &harness, "{\"name\":\"v1\",\"id\":\"7\"}");
    harness.advance(Duration::from_secs(60));
    let (second, _) = keep(&root, &harness, "{\"name\":\"v1\",\"id\":\"7\"}");
    let (first, second) = (first.record.unwrap(), second.record.unwrap());
    assert_eq!(second["unchanged"], true);
    assert_eq!(second["file"], first["file"]);
    assert_eq!(fs::read_dir(root.path().join("collections/7/objects")).unwrap().count(), 1);
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
    assert_eq!(fs::read_dir(root.path().join("collections")).unwrap().count(), 50);
    assert_eq!(fs::read_dir(root.path().join("latest")).unwrap().count(), 50);
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
fn a_change_is_told_by_an_event_and_an_unchanged_backup_by_none() {
    let (root, harness) = started();
    keep(&root, &harness, &shop("a"));
    assert_eq!(harness.emitted().len(), 0, "a first version changes nothing");
    harness.advance(Duration::from_secs(60));
    let (outcome, _) = keep(&root, &harness, &shop("b"));
    harness.advance(Duration::from_secs(60));
    keep(&root, &harness, &shop("b"));
    let emitted = harness.emitted();
    let [event] = &emitted[..] else { panic!("{emitted:?}") };
    assert_eq!((event.kind.as_str(), event.subject.as_str()), ("backup_changed", ID));
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    let record = outcome.record.unwrap();
    assert_eq!(body["version"]["id"], record["version"]);
    assert_eq!(body["before"]["id"], record["before"]);
    assert_eq!(body["summary"], record["changes"]);
    assert_eq!(body["collection"], json!({ "id": ID, "name": "Shop" }));
    assert_eq!(body["changes_left_out"], 0);
    assert!(outcome.message.ends_with(record["changes"].as_str().unwrap()), "{}", outcome.message);
}

#[test]
fn an_operator_who_wants_no_events_has_backups_all_the_same() {
    let root = tempfile::tempdir().unwrap();
    let config = json!({ "root": root.path() });
    let harness = PluginHarness::<Backup>::builder()
        .config(config)
        .now_unix_ms(RECEIVED)
        .without_emit()
        .start()
        .unwrap();
    for request in ["a", "b"] {
        keep(&root, &harness, &shop(request));
        harness.advance(Duration::from_secs(60));
    }
    assert_eq!(harness.emitted().len(), 0);
}

#[test]
fn a_new_secret_is_told_once_and_without_its_value() {
    const KEY: &str = "AKIAQ3EGRZ5XNB7V2WLD";
    let (root, harness) = started();
    let with = |request: &str| {
        format!(
            r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"variable":[{{"key":"aws","value":"{KEY}"}}],"item":[{{"name":"{request}"}}]}}"#
        )
    };
    for request in ["a", "b"] {
        keep(&root, &harness, &with(request));
        harness.advance(Duration::from_secs(60));
    }
    let emitted = harness.emitted();
    let told: Vec<_> = emitted.iter().filter(|event| event.kind == "backup_secrets").collect();
    let [event] = &told[..] else { panic!("{emitted:?}") };
    let body: Value = serde_json::from_slice(&event.body).unwrap();
    assert_eq!((&body["redacted"], body["secrets"].as_array().unwrap().len()), (&json!(false), 1));
    assert!(!String::from_utf8_lossy(&event.body).contains(KEY));
}

#[test]
fn retention_is_applied_after_each_new_version() {
    let root = tempfile::tempdir().unwrap();
    let harness = start_with(root.path(), json!({ "retention": { "last": 2 } })).unwrap();
    for request in ["a", "b", "c"] {
        keep(&root, &harness, &shop(request));
        harness.advance(Duration::from_secs(60));
    }
    let versions = harness.act("versions", &json!({ "collection": ID })).unwrap();
    assert_eq!(versions["total"], 2);
}

#[test]
fn a_root_that_cannot_be_created_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    let Err(StartError::Create { message, .. }) = start_with(&file.join("below"), json!({})) else {
        panic!("started")
    };
    assert!(message.contains("cannot create the folder"), "{message}");
}

#[test]
fn faults_of_the_storage_are_told_apart() {
    let why = || "it is a test".to_owned();
    check_failure(StorageError::Full { why: why() }, "retry storage_full");
    check_failure(StorageError::Busy { after: None, why: why() }, "retry busy");
    let after = Duration::from_secs(7);
    check_failure(StorageError::RateLimited { after, why: why() }, "rate limited");
    check_failure(StorageError::Denied { setting: "root", why: why() }, "misconfigured denied");
    check_failure(StorageError::Other { code: "read_only".to_owned(), why: why() }, "retry read_only");
}

#[test]
fn wrong_settings_are_named() {
    check_config(json!({}), "/root", "write the folder");
    check_config(json!({ "root": "data" }), "/root", "absolute");
    check_config(json!({ "root": "/data", "storage": "tape" }), "/storage", "tape");
    check_config(json!({ "root": "/data", "folder": "x" }), "/folder", "unknown field");
    check_config(json!({ "root": "/data", "path": "{nome}-{id}.json" }), "/path", "{nome} is no placeholder");
    check_config(json!({ "root": "/data", "path": "../{id}.json" }), "/path", "leads out of");
    check_config(json!({ "root": "/data", "retention": {} }), "/retention", "last = 30");
    check_config(json!({ "root": "/data", "retention": { "keep": 1 } }), "/retention/keep", "unknown field");
    check_config(json!({ "root": "/data", "scan": "loud" }), "/scan", "loud");
    check_config(json!({ "root": "/data", "encrypt_to": ["age1x"] }), "/encrypt_to/0", "age-keygen");
    assert_eq!(PluginHarness::<Backup>::validate(&json!({ "root": "/data" })), []);
}

#[test]
fn who_encrypts_without_a_key_to_read_is_warned() {
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let config = json!({ "root": "/data", "encrypt_to": [recipient] });
    assert_eq!(PluginHarness::<Backup>::validate(&config), []);
    let warnings = PluginHarness::<Backup>::warnings(&config);
    assert_eq!(warnings[0].path, "/decrypt_with", "{warnings:?}");
}

#[test]
fn the_manifest_is_what_operators_know() {
    let mut manifest = PluginHarness::<Backup>::manifest().unwrap();
    let schema = manifest.as_object_mut().unwrap().remove("config_schema").unwrap();
    let actions = manifest.as_object_mut().unwrap().remove("actions").unwrap();
    assert_eq!(
        manifest,
        json!({
            "manifest": 1,
            "abi": "1.1",
            "id": "backup",
            "name": "Collection backup",
            "description": "Keeps every version of every collection that Postman backs up",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock", "state"],
            "kinds": ["collection_backup"],
            "concurrency": 4,
            "network": ["*:*"],
            "filesystem": [{ "path": "{config.root}", "access": "write" }],
            "emits": ["backup_changed", "backup_damaged", "backup_secrets"],
        })
    );
    let settings: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(
        settings,
        [
            "storage",
            "root",
            "path",
            "retention",
            "store_unchanged",
            "compress",
            "encrypt_to",
            "decrypt_with",
            "scan",
            "verify_every",
            "postman",
            "s3",
            "gcs",
            "azblob",
            "webdav",
            "sftp",
            "dropbox",
            "gdrive",
            "onedrive",
            "box",
            "git"
        ]
    );
    let names: Vec<_> = actions.as_array().unwrap().iter().map(|action| &action["name"]).collect();
    assert_eq!(names, ["collections", "versions", "show", "diff", "verify", "prune", "repair", "restore"]);
    let dangerous = actions.as_array().unwrap().iter().filter(|it| it["danger"] == true);
    let dangerous: Vec<_> = dangerous.map(|action| &action["name"]).collect();
    assert_eq!(dangerous, ["prune", "restore"]);
}
