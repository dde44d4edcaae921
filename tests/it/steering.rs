//! What a person does to destinations and deliveries: pause, resume, cancel.

use std::time::{Duration, Instant};

use postroom_tests::{
    doubles::{Double, Gate, Receiver, Reply},
    harness::{Answer, Config, TestGateway, body, eventually, random_token},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{at_rest, retry, start};

const TARGET: &str = "/api/v1/destinations/target";

fn config(target: &Double, settings: &str) -> Config {
    Config::new().forward("target", &target.url("/"), settings).route("all", "", "target")
}

fn numbers(target: &Double) -> Vec<u64> {
    target.taken().iter().map(|request| body::run_number(&request.body)).collect()
}

async fn cancel(gateway: &TestGateway, delivery: &Value) -> Answer {
    let id = delivery["id"].as_str().unwrap();
    gateway.act(&format!("/api/v1/deliveries/{id}/cancel"), Value::Null).await
}

#[tokio::test]
async fn a_paused_destination_starts_nothing_over_a_crash_too_and_goes_on_in_order() {
    let (target, witness) = (Double::start(Receiver), Double::start(Receiver));
    let config = config(&target, "").forward("witness", &witness.url("/"), "").route("too", "", "witness");
    let mut gateway = start(config).await;

    let paused = gateway.done(&format!("{TARGET}/pause"), Value::Null).await;
    assert_eq!((&paused["gate"], &paused["paused_by"]), (&json!("held"), &json!("test")));
    assert!(paused["paused_since"].is_string() && paused["paused_until"].is_null(), "{paused}");
    for number in 1..=3 {
        gateway.accept(body::numbered_run("m", number)).await;
    }
    witness.at_least(3).await;
    gateway.kill().await;
    gateway.restart().await;
    gateway.accept(body::numbered_run("m", 4)).await;
    witness.at_least(4).await;
    let held = eventually("the plugin to be ready", async || {
        let destination = gateway.get(TARGET).await;
        (destination["state"] == "paused").then_some(destination)
    })
    .await;
    assert_eq!((&held["gate"], &held["paused_since"]), (&json!("held"), &paused["paused_since"]));
    assert_eq!((&held["waiting"], target.requests().len()), (&json!(4), 0));

    let resumed = gateway.done(&format!("{TARGET}/resume"), Value::Null).await;
    assert!(resumed.get("paused_by").is_none(), "{resumed}");
    gateway.settled().await;
    assert_eq!(numbers(&target), [1, 2, 3, 4]);
    let open = gateway.get(TARGET).await;
    assert_eq!((&open["gate"], &open["state"]), (&json!("open"), &json!("ready")));
}

#[tokio::test]
async fn pausing_needs_a_key_that_may_act_and_a_destination() {
    let target = Double::start(Receiver);
    let (viewer, operator) = (random_token(), random_token());
    let config = config(&target, "").key("viewer", "viewer", &viewer).key("operator", "operator", &operator);
    let gateway = start(config).await;
    for action in ["pause", "resume"] {
        let path = format!("{TARGET}/{action}");
        gateway.act_with(&viewer, &path, Value::Null).await.assert_problem(403, "forbidden");
        assert_eq!(gateway.act_with(&operator, &path, Value::Null).await.status, 200);
        let nobody = format!("/api/v1/destinations/nobody/{action}");
        gateway.act(&nobody, Value::Null).await.assert_problem(404, "not_found");
    }
}

#[tokio::test]
async fn resuming_ends_a_pause_that_wrong_settings_made() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target, "")).await;
    target.script([401]);
    let event = gateway.accept(body::monitor_run("m", 1)).await;
    eventually("the destination to be paused", async || {
        (gateway.get(TARGET).await["gate"] == "paused").then_some(())
    })
    .await;
    gateway.done(&format!("{TARGET}/resume"), Value::Null).await;
    gateway.delivery_in_state(&event, "target", "delivered").await;
}

#[tokio::test]
async fn a_waiting_delivery_is_cancelled_and_the_next_one_goes_on() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target, &retry(3, "1h"))).await;
    target.script([503]);
    let first = gateway.accept(body::numbered_run("m", 1)).await;
    let second = gateway.accept(body::numbered_run("m", 2)).await;
    let waiting = gateway.delivery_in_state(&first, "target", "retrying").await;
    at_rest(&gateway, "target").await;

    let answer = cancel(&gateway, &waiting).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["state"]), (200, &json!("cancelled")));
    let delivered = gateway.delivery_in_state(&second, "target", "delivered").await;
    assert_eq!(numbers(&target), [2]);

    assert_eq!(cancel(&gateway, &waiting).await.status, 200, "it stands as the caller wants it");
    cancel(&gateway, &delivered).await.assert_problem(409, "conflict");
    gateway.act("/api/v1/deliveries/77/cancel", Value::Null).await.assert_problem(404, "not_found");
    let found = gateway.list("/api/v1/deliveries?state=cancelled").await;
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn a_delivery_in_flight_is_let_go_of_when_its_plugin_can() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target, "")).await;
    let gate = Gate::new();
    target.script_for("m", [Reply::status(200).behind(&gate)]);
    let first = gateway.accept(body::numbered_run("m", 1)).await;
    let second = gateway.accept(body::numbered_run("m", 2)).await;
    target.at_least(1).await;
    let in_flight = gateway.delivery(&first, "target").await;
    let shown = gateway.get(TARGET).await;
    assert_eq!((&shown["in_flight"], &shown["waiting"]), (&json!(1), &json!(1)));
    let metrics = gateway.ask("/metrics").await.text();
    for gauge in ["in_flight", "waiting"] {
        let line = format!("postroom_deliveries_{gauge}{{destination=\"target\"}} 1\n");
        assert!(metrics.contains(&line), "{metrics}");
    }
    assert_eq!(cancel(&gateway, &in_flight).await.status, 200);
    let cancelled = gateway.delivery_in_state(&first, "target", "cancelled").await;
    let attempt = &cancelled["attempts"][0];
    assert_eq!((&cancelled["attempts_made"], &attempt["code"]), (&json!(1), &json!("cancelled")));
    let message = "cancelled by test while the plugin had it: it may have arrived";
    assert_eq!(attempt["message"], message);
    assert_eq!(cancelled["last_outcome"]["message"], message);
    gateway.delivery_in_state(&second, "target", "delivered").await;
    gate.open();
}

#[tokio::test]
async fn a_destination_starts_no_more_in_a_second_than_it_may() {
    let target = Double::start(Receiver);
    let gateway = start(config(&target, "deliveries_per_second = 2\nconcurrency = 8")).await;
    let begun = Instant::now();
    for monitor in ["a", "b", "c", "d", "e"] {
        gateway.accept(body::monitor_run(monitor, 1)).await;
    }
    gateway.settled().await;
    // Two go at once, the others half a second apart: the fifth after one and a half. It may take longer, never less; a
    // clock of whole milliseconds may cut one off each time.
    assert!(begun.elapsed() >= Duration::from_millis(1495), "{:?}", begun.elapsed());
    assert_eq!(target.taken().len(), 5, "what is over it waits, and nothing is lost");
}

#[tokio::test]
async fn outside_its_schedule_a_destination_waits_and_says_until_when() {
    let (target, witness) = (Double::start(Receiver), Double::start(Receiver));
    let clock = start(Config::new()).await.ask("/health/live").await;
    // The Date header begins with the day of the week. Three days later is closed today, whatever happens meanwhile.
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let today = days.iter().position(|day| clock.header("date").starts_with(day)).unwrap();
    let open = days[(today + 3) % 7].to_lowercase();
    let schedule = format!("schedule = [\"{open} 10:00-11:00\"]\ntimezone = \"Europe/Berlin\"");
    let config =
        config(&target, &schedule).forward("witness", &witness.url("/"), "").route("too", "", "witness");
    let gateway = start(config).await;
    let event = gateway.accept(body::monitor_run("m", 1)).await;
    witness.at_least(1).await;
    let closed = gateway.get(TARGET).await;
    assert_eq!((&closed["gate"], &closed["waiting"]), (&json!("closed"), &json!(1)));
    assert!(closed["paused_until"].is_string(), "{closed}");
    assert_eq!(gateway.delivery(&event, "target").await["state"], "pending");
    assert!(target.requests().is_empty());
    let ready = Answer::to(gateway.client().request(Method::GET, "/health/ready")).await;
    assert_eq!(ready.status, 200, "a closed destination is no fault");
}
