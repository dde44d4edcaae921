use postroom_sdk::testing::PluginHarness;
use serde_json::{Value, json};

use super::*;
use crate::Backup;

#[track_caller]
fn check(config: Value, expected: &[(&str, &str)]) {
    let faults = PluginHarness::<Backup>::validate(&config);
    assert_eq!(faults.len(), expected.len(), "{faults:?}");
    for (fault, (path, message)) in faults.iter().zip(expected) {
        assert_eq!(fault.path, *path, "{fault:?}");
        assert!(fault.message.contains(message), "{fault:?}");
    }
}

fn secret() -> Value {
    json!({ "$secret": "name" })
}

fn s3() -> Value {
    json!({ "bucket": "b", "region": "r", "access_key_id": secret(), "secret_access_key": secret() })
}

#[test]
fn each_storage_has_its_table() {
    check(json!({ "root": "/backups" }), &[]);
    check(json!({ "storage": "fs", "root": "/backups" }), &[]);
    check(json!({ "storage": "s3", "s3": s3() }), &[]);
    check(json!({ "storage": "s3" }), &[("/s3", "has its settings in this table")]);
    check(json!({ "root": "/backups", "s3": s3() }), &[("/s3", "write storage = \"s3\"")]);
    check(json!({ "storage": "s3", "root": "/backups", "s3": s3() }), &[("/root", "leave it out")]);
    check(json!({}), &[("/root", "write the folder of the backups")]);
    check(json!({ "storage": "tape" }), &[("/storage", "write \"folder\" (or \"fs\")")]);
}

#[test]
fn git_keeps_all_in_the_clear() {
    let git = |more: Value| {
        let mut config = json!({ "storage": "git", "root": "/backups" });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    check(git(json!({})), &[]);
    check(
        git(json!({ "git": { "url": "https://github.com/acme/collections.git", "token": secret() } })),
        &[],
    );
    check(json!({ "storage": "git" }), &[("/root", "the folder of the repository")]);
    check(json!({ "root": "/backups", "git": {} }), &[("/git", "write storage = \"git\"")]);
    check(git(json!({ "retention": { "last": 3 } })), &[("/retention", "git keeps every version")]);
    let recipient = age::x25519::Identity::generate().to_public().to_string();
    let encrypted = json!({ "encrypt_to": [recipient], "decrypt_with": secret() });
    check(git(encrypted), &[("/encrypt_to", "leave it out")]);
    check(git(json!({ "git": { "branch": "a..b" } })), &[("/git/branch", "cannot be a branch")]);
    check(git(json!({ "git": { "file": "{nome}.json" } })), &[("/git/file", "{nome}")]);
}

#[test]
fn addresses_are_checked() {
    for (endpoint, message) in [
        ("minio:9000", "not an http or https address"),
        ("//minio", "not an address"),
        ("https://me:secret@minio", "settings of their own"),
        ("https://minio/?x=1", "behind a `?`"),
    ] {
        let mut table = s3();
        table["endpoint"] = json!(endpoint);
        check(json!({ "storage": "s3", "s3": table }), &[("/s3/endpoint", message)]);
    }
    let mut table = s3();
    table["folder"] = json!("../elsewhere");
    check(json!({ "storage": "s3", "s3": table }), &[("/s3/folder", "`..`")]);
}

#[test]
fn a_password_in_the_open_is_warned_of() {
    let webdav = json!({ "endpoint": "http://dav", "username": "me", "password": secret() });
    let warnings = PluginHarness::<Backup>::warnings(&json!({ "storage": "webdav", "webdav": webdav }));
    assert_eq!(warnings[0].path, "/webdav/endpoint");
}

#[test]
fn credentials_are_whole_and_one() {
    let azblob = json!({ "container": "c", "account": "a" });
    check(
        json!({ "storage": "azblob", "azblob": azblob }),
        &[("/azblob", "either `account_key` or `sas_token`")],
    );
    let webdav = json!({ "endpoint": "https://dav", "username": "me" });
    check(json!({ "storage": "webdav", "webdav": webdav }), &[("/webdav", "belong together")]);
    let webdav =
        json!({ "endpoint": "https://dav", "username": "me", "password": secret(), "token": secret() });
    check(json!({ "storage": "webdav", "webdav": webdav }), &[("/webdav", "either `token`")]);
    let sftp = json!({ "host": "h", "folder": "f", "username": "me", "host_key": "SHA256:x" });
    check(json!({ "storage": "sftp", "sftp": sftp }), &[("/sftp", "either `password` or `private_key`")]);
    let sftp = json!({ "host": "h", "folder": "f", "username": "me", "host_key": "ssh-ed25519 AAAA", "password": secret() });
    check(json!({ "storage": "sftp", "sftp": sftp }), &[("/sftp/host_key", "not a fingerprint")]);
    for kind in ["dropbox", "gdrive", "onedrive"] {
        check(json!({ "storage": kind, kind: {} }), &[(&format!("/{kind}"), "or `access_token`")]);
        check(json!({ "storage": kind, kind: { "access_token": secret() } }), &[]);
        let all = json!({ "client_id": "c", "client_secret": secret(), "refresh_token": secret() });
        check(json!({ "storage": kind, kind: all }), &[]);
        let both = json!({ "access_token": secret(), "refresh_token": secret() });
        check(json!({ "storage": kind, kind: both }), &[(&format!("/{kind}"), "give either")]);
    }
    let of_box = json!({ "client_id": "c", "client_secret": secret(), "enterprise_id": "1", "user_id": "2" });
    check(json!({ "storage": "box", "box": of_box }), &[("/box", "one of `enterprise_id` and `user_id`")]);
    let of_box = json!({ "client_id": "c", "client_secret": secret(), "enterprise_id": "1" });
    check(json!({ "storage": "box", "box": of_box }), &[]);
}

#[test]
fn a_secret_in_clear_is_refused() {
    let mut table = s3();
    table["secret_access_key"] = json!("hunter2");
    check(json!({ "storage": "s3", "s3": table }), &[("/s3/secret_access_key", "not written here in clear")]);
}

#[test]
fn what_is_not_said_has_the_defaults_of_the_manual() {
    let config: Config = serde_json::from_value(json!({ "root": "/data" })).unwrap();
    assert_eq!(config.path, "latest/{name}-{id}.json");
    assert!(config.compress && !config.store_unchanged && config.retention.is_none());
    assert_eq!((config.scan, config.verify_every), (Scan::Warn, Duration::from_secs(30 * 86_400)));
    assert!(config.template().unwrap().is_some());
}

#[test]
fn an_empty_path_asks_for_no_copies() {
    let config: Config = serde_json::from_value(json!({ "root": "/data", "path": "" })).unwrap();
    assert_eq!(config.template(), Ok(None));
}
