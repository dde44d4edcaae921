//! Drives of people: Dropbox, Google Drive, OneDrive and Box.

use super::*;
use crate::storage::doubles::{
    box_api::BoxApi,
    dropbox::Dropbox,
    gdrive::GoogleDrive,
    onedrive::OneDrive,
    server::{Double, Reply, Rules, reply},
    tokens::Tokens,
};

fn drive(kind: &str, client_id: &str) -> Value {
    json!({ "storage": kind, kind: {
        "folder": "Postman backups/main", "client_id": client_id,
        "client_secret": secret("client_secret"), "refresh_token": secret("refresh"),
    }})
}

fn onedrive() -> Value {
    let mut config = drive("onedrive", "app id");
    config["onedrive"].as_object_mut().unwrap().remove("client_secret");
    config
}

fn box_cloud() -> Value {
    json!({ "storage": "box", "box": {
        "folder_id": "77", "client_id": "client id", "client_secret": secret("client_secret"),
        "enterprise_id": "4711",
    }})
}

async fn check_contract<R: Rules>(setup: &Setup, rules: R, config: Value, odd: impl Fn(&str) -> bool) {
    let double = Double::start(rules).await;
    let line = Line::to(double.address).await;
    let storage = open_at(setup, line.address, config);
    contract::check(&storage, odd).await;
    contract::check_interrupted(&storage, &line).await;
}

/// A token that ends before its time is renewed; one that cannot be is a matter for the operator.
async fn check_tokens<R: Rules>(
    setup: &Setup,
    rules: R,
    config: &Value,
    tokens: impl Fn(&R) -> &Tokens,
    hidden: &str,
) {
    let double = Double::start(rules).await;
    let storage = open_at(setup, double.address, config.clone());
    storage.write("a/b", Bytes::from_static(b"x"), Write::New).await.unwrap();
    storage.read("a/b").await.unwrap().unwrap();
    assert_eq!(tokens(&double.rules).given(), 1);
    tokens(&double.rules).end();
    assert_eq!(storage.read("a/b").await.unwrap().unwrap(), "x");
    assert_eq!(tokens(&double.rules).given(), 2);

    tokens(&double.rules).end();
    let answer = json!({ "error": "invalid_grant", "error_description": format!("Token has been revoked: {hidden}.") });
    double.refuse("token", reply(400, answer.to_string()));
    check_failure(storage.read("a/b").await, "misconfigured denied", "Token has been revoked: ***");
}

/// What each service says when it has no room, wants a pause, or forbids something.
async fn check_refusals<R: Rules>(
    setup: &Setup,
    rules: R,
    config: &Value,
    upload: &str,
    full: Reply,
    limited: Reply,
) {
    let double = Double::start(rules).await;
    let storage = open_at(setup, double.address, config.clone());
    let body = Bytes::from_static(b"x");
    storage.write("a/b", body.clone(), Write::Replace).await.unwrap();
    double.refuse(upload, full);
    let written = storage.write("a/b", body.clone(), Write::Replace).await;
    check_failure(written, "retry storage_full", "there is no room");
    let mut limited = limited;
    limited.headers_mut().insert("retry-after", "23".parse().unwrap());
    double.refuse(upload, limited);
    let written = storage.write("a/b", body.clone(), Write::Replace).await;
    check_failure(written, "rate limited for 23s", "pause");
    double.refuse(upload, reply(502, "<html>bad gateway</html>"));
    let written = storage.write("a/b", body.clone(), Write::Replace).await;
    check_failure(written, "retry busy", "502");
    double.refuse(upload, reply(403, r#"{"message":"not for you"}"#));
    let written = storage.write("a/b", body.clone(), Write::Replace).await;
    check_failure(written, "misconfigured denied", "not for you");
    storage.write("a/b", body, Write::Replace).await.unwrap();
}

#[test]
fn dropbox_keeps_the_contract() {
    run(|setup| async move {
        check_contract(&setup, Dropbox::default(), drive("dropbox", "app key"), every_name).await;
    });
}

#[test]
fn dropbox_says_what_is_wrong() {
    run(|setup| async move {
        let config = drive("dropbox", "app key");
        check_tokens(&setup, Dropbox::default(), &config, |rules| &rules.tokens, "r3fresh/+=").await;
        let full = r#"{"error_summary":"path/insufficient_space/..","error":{".tag":"path"}}"#;
        let limited = r#"{"error_summary":"too_many_requests/..","error":{".tag":"too_many_requests"}}"#;
        let (full, limited) = (reply(409, full), reply(429, limited));
        check_refusals(&setup, Dropbox::default(), &config, "/files/upload", full, limited).await;
    });
}

#[test]
fn google_drive_keeps_the_contract() {
    run(|setup| async move {
        check_contract(&setup, GoogleDrive::default(), drive("gdrive", "client id"), every_name).await;
    });
}

#[test]
fn google_drive_says_what_is_wrong() {
    run(|setup| async move {
        let config = drive("gdrive", "client id");
        check_tokens(&setup, GoogleDrive::default(), &config, |rules| &rules.tokens, "r3fresh/+=").await;
        let full = r#"{"error":{"code":403,"message":"quota","errors":[{"reason":"storageQuotaExceeded"}]}}"#;
        let limited =
            r#"{"error":{"code":403,"message":"slow","errors":[{"reason":"userRateLimitExceeded"}]}}"#;
        let (full, limited) = (reply(403, full), reply(403, limited));
        check_refusals(&setup, GoogleDrive::default(), &config, "/upload/", full, limited).await;
    });
}

#[test]
fn onedrive_keeps_the_contract() {
    run(|setup| async move {
        check_contract(&setup, OneDrive::default(), onedrive(), every_name).await;
    });
}

#[test]
fn onedrive_says_what_is_wrong() {
    run(|setup| async move {
        check_tokens(&setup, OneDrive::default(), &onedrive(), |rules| &rules.tokens, "r3fresh/+=").await;
        let full = reply(507, r#"{"error":{"code":"quotaLimitReached","message":"full"}}"#);
        let limited = reply(429, r#"{"error":{"code":"activityLimitReached","message":"slow"}}"#);
        check_refusals(&setup, OneDrive::default(), &onedrive(), ":/content", full, limited).await;
    });
}

#[test]
fn box_keeps_the_contract() {
    run(|setup| async move {
        check_contract(&setup, BoxApi::default(), box_cloud(), every_name).await;
    });
}

#[test]
fn box_says_what_is_wrong() {
    run(|setup| async move {
        check_tokens(&setup, BoxApi::default(), &box_cloud(), |rules| &rules.tokens, "cl13nt&s3cret").await;
        let full = reply(403, r#"{"type":"error","code":"storage_limit_exceeded","message":"full"}"#);
        let limited = reply(429, r#"{"type":"error","code":"rate_limit_exceeded","message":"slow"}"#);
        check_refusals(&setup, BoxApi::default(), &box_cloud(), "/api/2.0/files/", full, limited).await;

        let double = Double::start(BoxApi::default()).await;
        let mut config = box_cloud();
        config["box"]["folder_id"] = json!("78");
        let storage = open_at(&setup, double.address, config);
        check_failure(storage.list("").await, "misconfigured not_found", "correct `box.folder_id`");
        let written = storage.write("a", Bytes::from_static(b"x"), Write::New).await;
        check_failure(written, "misconfigured not_found", "the folder 78");
    });
}

#[test]
fn box_takes_large_files_in_parts() {
    run(|setup| async move {
        let double = Double::start(BoxApi::default()).await;
        let storage = open_at(&setup, double.address, box_cloud());
        let body = |seed: u8| -> Bytes {
            (0..600_u32)
                .map(|at| vec![at.to_le_bytes()[0] ^ seed; 100_000])
                .collect::<Vec<_>>()
                .concat()
                .into()
        };
        storage.write("a/large", body(1), Write::New).await.unwrap();
        assert_eq!(storage.write("a/large", body(1), Write::New).await, Err(StorageError::Exists));
        assert!(storage.read("a/large").await.unwrap().unwrap() == body(1));
        storage.write("a/large", body(2), Write::Replace).await.unwrap();
        assert!(storage.read("a/large").await.unwrap().unwrap() == body(2));

        double.refuse("/upload_sessions/", reply(500, "oops"));
        let written = storage.write("a/large", body(3), Write::Replace).await;
        check_failure(written, "retry busy", "500");
        assert!(storage.read("a/large").await.unwrap().unwrap() == body(2), "the earlier body stays");
        let last = double.calls().into_iter().rfind(|call| call.path.contains("/upload_sessions/")).unwrap();
        assert_eq!(last.method, "DELETE", "a session that failed is ended");
    });
}

#[test]
fn a_folder_that_was_moved_away_in_box_is_looked_for_anew() {
    run(|setup| async move {
        let double = Double::start(BoxApi::default()).await;
        let storage = open_at(&setup, double.address, box_cloud());
        storage.write("a/b", Bytes::from_static(b"x"), Write::New).await.unwrap();
        double.refuse("/files/content", reply(404, r#"{"type":"error","code":"not_found"}"#));
        check_failure(storage.read("a/b").await, "retry busy", "moved or removed");
        assert_eq!(storage.read("a/b").await.unwrap().unwrap(), "x");
    });
}
