//! Who changed what, and when.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body, eventually, random_token},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{program, start};

/// The audit log, oldest first, without ids and moments.
async fn log(gateway: &TestGateway) -> Vec<Value> {
    let mut entries = gateway.list("/api/v1/audit").await;
    entries.reverse();
    for entry in &mut entries {
        let entry = entry.as_object_mut().unwrap();
        assert!(entry.remove("at").unwrap().as_str().unwrap().ends_with('Z'));
        entry.remove("id").unwrap();
        entry.remove("request_id");
    }
    entries
}

#[tokio::test]
async fn changes_are_kept_with_who_what_and_how_it_stood() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/"), "").route("all", "", "target").key(
        "looks",
        "viewer",
        "key-of-somebody-who-looks",
    );
    let mut gateway = start(config).await;
    gateway.done("/api/v1/destinations/target/pause", Value::Null).await;
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let id = gateway.delivery(&event, "target").await["id"].as_str().unwrap().to_owned();
    gateway.done(&format!("/api/v1/deliveries/{id}/cancel"), Value::Null).await;
    gateway.done("/api/v1/destinations/target/resume", Value::Null).await;
    let refused =
        gateway.act_with("key-of-somebody-who-looks", "/api/v1/destinations/target/pause", Value::Null).await;
    refused.assert_problem(403, "forbidden");
    gateway.done("/api/v1/replays", json!({"filter": {}, "dry_run": true})).await;

    let entry = |who: &str, operation: &str, object: &str, before: Value, after: Value| {
        let mut entry = json!({
            "who": who, "via": "api_key", "operation": operation, "object": object, "outcome": "done",
        });
        for (name, value) in [("before", before), ("after", after)] {
            if !value.is_null() {
                entry[name] = value;
            }
        }
        entry
    };
    let (open, held) = (json!({"gate": "open"}), json!({"gate": "held", "paused_by": "test"}));
    let target = "destinations/target";
    let mut refused = entry("looks", "pauseDestination", "destinations/…", Value::Null, Value::Null);
    (refused["outcome"], refused["code"]) = ("refused".into(), "forbidden".into());
    let expected = [
        entry("test", "pauseDestination", target, open.clone(), held.clone()),
        entry(
            "test",
            "cancelDelivery",
            &format!("deliveries/{id}"),
            Value::Null,
            json!({"state": "cancelled"}),
        ),
        entry("test", "resumeDestination", target, held, open),
        refused,
    ];
    assert_eq!(log(&gateway).await, expected);
    gateway.kill().await;
    gateway.restart().await;
    assert_eq!(log(&gateway).await, expected, "an entry is on disk before the answer");
}

#[tokio::test]
async fn what_a_signal_changes_is_kept_too() {
    let gateway = start(Config::new()).await;
    let mut gateway = gateway;
    let config = gateway.config().clone().section("tracker", "open_after = 3");
    gateway.reconfigure(config);
    gateway.hang_up();
    let entries = eventually("the reload to be kept", async || {
        Some(log(&gateway).await).filter(|entries| !entries.is_empty())
    })
    .await;
    assert_eq!(entries.len(), 1, "{entries:#?}");
    let entry = &entries[0];
    assert_eq!((&entry["who"], &entry["via"]), (&json!("SIGHUP"), &json!("signal")));
    assert_eq!((&entry["operation"], &entry["outcome"]), (&json!("reloadConfiguration"), &json!("done")));
    assert_eq!((&entry["before"]["generation"], &entry["after"]["generation"]), (&json!(1), &json!(2)));
    assert_eq!(entry["after"]["applied"], json!(["tracker.open_after"]));

    let broken = gateway.config().clone().section("nonsense", "");
    gateway.reconfigure(broken);
    gateway.act("/api/v1/config/reload", Value::Null).await.assert_problem(422, "config_faulty");
    let last = log(&gateway).await.pop().unwrap();
    assert_eq!(
        (&last["who"], &last["outcome"], &last["code"]),
        (&json!("test"), &json!("refused"), &json!("config_faulty"))
    );
}

#[tokio::test]
async fn no_secret_is_in_the_log() {
    let gateway = start(Config::new()).await;
    let made = gateway.done("/api/v1/keys", json!({"name": "ci", "role": "viewer"})).await;
    let key = made["key"].as_str().unwrap();
    // A slip: the key in the place of its name.
    let slip = gateway.client().request(Method::DELETE, &format!("/api/v1/keys/{key}"));
    Answer::to(slip.bearer_auth(gateway.config().api_key())).await.assert_problem(404, "not_found");
    let slip = gateway.client().request(Method::DELETE, &format!("/api/v1/keys/{key}"));
    Answer::to(slip.bearer_auth(key)).await.assert_problem(403, "forbidden");
    let password = random_token();
    gateway
        .act(&format!("/api/v1/destinations/{password}/pause"), Value::Null)
        .await
        .assert_problem(404, "not_found");
    gateway
        .act_with(key, &format!("/api/v1/destinations/{password}/pause"), Value::Null)
        .await
        .assert_problem(403, "forbidden");
    let shown = gateway.ask("/api/v1/audit").await.text();
    assert!(shown.contains("createKey") && shown.contains("revokeKey"), "{shown}");
    for secret in [key, &key[9..40], &password, gateway.config().api_key()] {
        assert!(!shown.contains(secret), "{shown}");
    }
    for line in gateway.log_lines() {
        assert!(!line.contains(key) && !line.contains(&password), "{line}");
    }
}

#[tokio::test]
async fn the_log_is_filtered_by_api_and_command() {
    let gateway = start(Config::new()).await;
    for name in ["a", "b", "c"] {
        gateway.done("/api/v1/keys", json!({"name": name, "role": "viewer"})).await;
    }
    let revoke = gateway.client().request(Method::DELETE, "/api/v1/keys/b");
    Answer::to(revoke.bearer_auth(gateway.config().api_key())).await;
    let objects = async |query: &str| -> Vec<Value> {
        let entries = gateway.list(&format!("/api/v1/audit?{query}")).await;
        entries.iter().map(|entry| entry["object"].clone()).collect()
    };
    assert_eq!(objects("operation=createKey").await, ["keys/c", "keys/b", "keys/a"]);
    assert_eq!(objects("operation=revokeKey&who=test").await, ["keys/b"]);
    assert!(objects("who=nobody").await.is_empty());
    assert!(objects("since=2100-01-01T00:00:00Z").await.is_empty());
    assert_eq!(objects("until=2100-01-01T00:00:00Z").await.len(), 4);

    let (url, key) = (format!("http://{}", gateway.address()), gateway.config().api_key().to_owned());
    let args = ["audit", "--operation", "revokeKey", "--json", "--url", &url, "--key", &key];
    let shown = program().run(gateway.folder(), args).await;
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((&shown["items"][0]["object"], &shown["items"][1]), (&json!("keys/b"), &Value::Null));
}
