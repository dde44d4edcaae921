//! An event that is sent twice with one idempotency key is one event.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Answer, Config, TestGateway, body},
};
use serde_json::{Value, json};

use crate::support::start;

async fn send(gateway: &TestGateway, header: &str, key: &str, body: impl Into<reqwest::Body>) -> Value {
    let answer = Answer::to(gateway.hook().header(header, key).body(body)).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()
}

async fn gateway_with(target: &Double) -> TestGateway {
    start(Config::new().forward("target", &target.url("/"), "").route("all", "", "target")).await
}

#[tokio::test]
async fn a_repeat_is_answered_with_the_first_event_over_a_crash_too() {
    let target = Double::start(Receiver);
    let mut gateway = gateway_with(&target).await;
    let run = body::monitor_run("m", 1);
    let first = send(&gateway, "idempotency-key", "order-1", run.clone()).await;
    assert_eq!(first["repeated"], false);
    let repeat = send(&gateway, "webhook-id", "order-1", run.clone()).await;
    gateway.settled().await;
    gateway.kill().await;
    gateway.restart().await;
    let after = send(&gateway, "idempotency-key", "order-1", run.clone()).await;
    for answer in [&repeat, &after] {
        assert_eq!(answer["repeated"], true);
        for field in ["event_id", "kind", "deliveries"] {
            assert_eq!(answer[field], first[field], "{field}");
        }
    }
    let other = send(&gateway, "idempotency-key", "order-2", run).await;
    assert_ne!(other["event_id"], first["event_id"]);
    gateway.settled().await;
    assert_eq!(gateway.list("/api/v1/events?source=postman").await.len(), 2);
    assert_eq!(target.requests().len(), 2);
}

#[tokio::test]
async fn repeats_at_the_same_time_are_one_event() {
    let target = Double::start(Receiver);
    let gateway = gateway_with(&target).await;
    let run = body::monitor_run("m", 1);
    let mut sending = tokio::task::JoinSet::new();
    for _ in 0..16 {
        sending.spawn(Answer::to(gateway.hook().header("idempotency-key", "k").body(run.clone())));
    }
    let answers: Vec<Value> = sending.join_all().await.iter().map(Answer::json).collect();
    assert!(answers.iter().all(|answer| answer["event_id"] == answers[0]["event_id"]), "{answers:#?}");
    assert_eq!(answers.iter().filter(|answer| answer["repeated"] == false).count(), 1);
    gateway.settled().await;
    assert_eq!((gateway.list("/api/v1/events?source=postman").await.len(), target.requests().len()), (1, 1));
}

#[tokio::test]
async fn another_body_under_a_used_key_is_an_event_of_its_own() {
    let target = Double::start(Receiver);
    let gateway = gateway_with(&target).await;
    let first = send(&gateway, "idempotency-key", "k", body::monitor_run("m", 1)).await;
    let other = send(&gateway, "idempotency-key", "k", body::monitor_run("m", 2)).await;
    assert_ne!(other["event_id"], first["event_id"]);
    assert_eq!(other["repeated"], false);
    let event = gateway.get(&format!("/api/v1/events/{}", other["event_id"].as_str().unwrap())).await;
    assert!(event["note"].as_str().unwrap().contains("idempotency key was used before"), "{event}");
    let repeat = send(&gateway, "idempotency-key", "k", body::monitor_run("m", 1)).await;
    assert_eq!(repeat["event_id"], first["event_id"], "the key stays with the first");
}

#[tokio::test]
async fn a_key_belongs_to_its_source() {
    let token = "0123456789abcdef-of-another";
    let config = Config::new().source("another", &format!("tokens = [\"{token}\"]"));
    let gateway = start(config).await;
    let first = send(&gateway, "idempotency-key", "k", "{}").await;
    let request = gateway.client().request(reqwest::Method::POST, "/hooks/another").bearer_auth(token);
    let other = Answer::to(request.header("idempotency-key", "k").body("{}")).await.json();
    assert_eq!(other["repeated"], false);
    assert_ne!(other["event_id"], first["event_id"]);
}

#[tokio::test]
async fn a_key_that_does_not_fit_never_costs_the_event() {
    let gateway = start(Config::new()).await;
    for key in ["", &"k".repeat(257)] {
        let answers = [
            send(&gateway, "idempotency-key", key, "{}").await,
            send(&gateway, "idempotency-key", key, "{}").await,
        ];
        assert_ne!(answers[0]["event_id"], answers[1]["event_id"]);
        let id = answers[1]["event_id"].as_str().unwrap();
        let note = gateway.get(&format!("/api/v1/events/{id}")).await["note"].to_string();
        assert!(note.contains("idempotency key left out"), "{note}");
    }
}

#[tokio::test]
async fn a_large_body_has_a_key_too() {
    let gateway = start(Config::new()).await;
    let large = format!("{{\"collection\":{{\"item\":\"{}\"}}}}", "x".repeat(1024 * 1024));
    let first = send(&gateway, "webhook-id", "msg_1", large.clone()).await;
    let repeat = send(&gateway, "webhook-id", "msg_1", large).await;
    assert_eq!((&repeat["repeated"], &repeat["event_id"]), (&json!(true), &first["event_id"]));
}
