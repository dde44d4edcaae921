//! Object stores: Google Cloud Storage and Azure Blob Storage.

use super::*;
use crate::storage::doubles::{
    azblob::AzureBlob,
    gcs::Gcs,
    server::{Double, reply},
};

fn gcs_config(bucket: &str) -> Value {
    json!({ "storage": "gcs", "gcs": {
        "bucket": bucket, "folder": "postman", "service_account": secret("account"),
    }})
}

#[test]
fn gcs_keeps_the_contract() {
    run(|setup| async move {
        let double = Double::start(Gcs::default()).await;
        let line = Line::to(double.address).await;
        let storage = open_at(&setup, line.address, gcs_config("backups"));
        contract::check(&storage, every_name).await;
        contract::check_interrupted(&storage, &line).await;
        let tokens = double.calls().iter().filter(|call| call.path == "/token").count();
        assert!(tokens <= 2, "a token is kept: {tokens} were fetched");
        assert_eq!(storage.describe(), "gcs bucket backups/postman");
    });
}

#[test]
fn gcs_says_what_is_wrong() {
    run(|setup| async move {
        let double = Double::start(Gcs::default()).await;
        let storage = open_at(&setup, double.address, gcs_config("another"));
        check_failure(storage.list("").await, "misconfigured not_found", "correct `gcs.bucket`");

        let storage = open_at(&setup, double.address, gcs_config("backups"));
        let mut config = gcs_config("backups");
        config["gcs"]["service_account"] = secret("key");
        let config: Config = serde_json::from_value(config).unwrap();
        check_failure(Storage::open(&config, &setup), "misconfigured gcs.service_account", "`client_email`");
        let refusal = r#"{"error":"invalid_grant","error_description":"Invalid JWT Signature."}"#;
        double.refuse("/token", reply(400, refusal));
        check_failure(storage.read("a").await, "misconfigured denied", "Invalid JWT Signature");
        let refusal =
            r#"{"error":{"code":429,"message":"slow down","errors":[{"reason":"rateLimitExceeded"}]}}"#;
        double.refuse("/storage/", reply(429, refusal));
        check_failure(storage.read("a").await, "retry busy", "slow down");
        double.refuse("/storage/", reply(503, "backend error"));
        check_failure(storage.read("a").await, "retry busy", "503");
    });
}

fn azblob_config(container: &str) -> Value {
    json!({ "storage": "azblob", "azblob": {
        "container": container, "folder": "/postman/", "account": "account", "account_key": secret("azure"),
    }})
}

#[test]
fn azblob_keeps_the_contract() {
    run(|setup| async move {
        let double = Double::start(AzureBlob::default()).await;
        let line = Line::to(double.address).await;
        let storage = open_at(&setup, line.address, azblob_config("backups"));
        contract::check(&storage, every_name).await;
        contract::check_interrupted(&storage, &line).await;
    });
}

#[test]
fn one_call_is_one_request() {
    run(|setup| async move {
        let double = Double::start(AzureBlob::default()).await;
        let storage = open_at(&setup, double.address, azblob_config("backups"));
        let body = Bytes::from(vec![0; 10_000_000]);
        storage.write("a/b", body.clone(), Write::New).await.unwrap();
        storage.write("a/b", body, Write::Replace).await.unwrap();
        storage.read("a/b").await.unwrap().unwrap();
        storage.exists("a/b").await.unwrap().unwrap();
        storage.list("a").await.unwrap();
        storage.delete("a/b").await.unwrap();
        let methods: Vec<_> = double.calls().into_iter().map(|call| call.method.to_string()).collect();
        assert_eq!(methods, ["PUT", "PUT", "GET", "HEAD", "GET", "DELETE"]);
    });
}

#[test]
fn azblob_says_what_is_wrong() {
    run(|setup| async move {
        let double = Double::start(AzureBlob::default()).await;
        let storage = open_at(&setup, double.address, azblob_config("another"));
        check_failure(storage.list("").await, "misconfigured not_found", "correct `azblob.container`");
        check_failure(storage.exists("a").await, "misconfigured not_found", "the container");

        let mut config = azblob_config("backups");
        config["azblob"]["account_key"] = secret("refresh");
        let config: Config = serde_json::from_value(config).unwrap();
        check_failure(Storage::open(&config, &setup), "misconfigured azblob.account_key", "Base64");

        let storage = open_at(&setup, double.address, azblob_config("backups"));
        let mut busy = reply(503, "<Error><Code>ServerBusy</Code><Message>later</Message></Error>");
        busy.headers_mut().insert("retry-after", "7".parse().unwrap());
        double.refuse("/backups", busy);
        check_failure(storage.read("a").await, "rate limited for 7s", "ServerBusy: later");
    });
}
