//! What becomes of accepted events at their destinations.

use postroom_tests::{
    doubles::{Double, Gate, Itoc360, Provider, Receiver, Reply, Request},
    harness::{Answer, Config, body},
};
use serde_json::{Value, json};

use crate::support::{retry, start};

/// The run numbers of a monitor, in the order in which they came.
fn numbers(requests: &[Request], monitor: &str) -> Vec<u64> {
    let of_monitor = |request: &&Request| request.monitor().as_deref() == Some(monitor);
    requests.iter().filter(of_monitor).map(|request| body::run_number(&request.body)).collect()
}

fn outcomes(delivery: &Value) -> Vec<&str> {
    delivery["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|attempt| attempt["outcome"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_failing_delivery_holds_up_its_own_monitor_only() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(3, "20ms")).route("all", "", "target");
    let gateway = start(config).await;
    let gate = Gate::new();
    target.script_for("held", [503.into(), 503.into(), Reply::status(503).behind(&gate)]);

    let first = gateway.accept(body::numbered_run("held", 1)).await;
    for number in 1..=3 {
        gateway.accept(body::numbered_run("other", number)).await;
        gateway.accept(body::numbered_run("held", number + 1)).await;
    }
    // Three attempts at the first run, the last of which hangs, and the other monitor's three runs.
    let requests = target.at_least(6).await;
    assert_eq!(numbers(&requests, "other"), [1, 2, 3]);
    assert_eq!(numbers(&requests, "held"), [1, 1, 1]);

    gate.open();
    gateway.settled().await;
    assert_eq!(numbers(&target.requests(), "held"), [1, 1, 1, 1, 2, 3, 4]);
    assert_eq!(numbers(&target.taken(), "held"), [1, 2, 3, 4], "each arrives once, in order");

    let delivery = gateway.delivery(&first, "target").await;
    assert_eq!((&delivery["state"], &delivery["attempts_made"]), (&json!("delivered"), &json!(4)));
    assert_eq!(outcomes(&delivery), ["retry", "retry", "retry", "delivered"]);
    let attempts = delivery["attempts"].as_array().unwrap();
    assert_eq!(
        attempts.iter().map(|attempt| attempt["number"].as_u64().unwrap()).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
}

#[tokio::test]
async fn a_delivery_that_uses_up_its_retries_becomes_a_dead_letter() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(2, "10ms")).route("all", "", "target");
    let gateway = start(config).await;
    target.script_for("m", [503, 503, 503]);

    let lost = gateway.accept(body::numbered_run("m", 1)).await;
    let next = gateway.accept(body::numbered_run("m", 2)).await;
    let delivery = gateway.delivery_in_state(&lost, "target", "dead").await;
    assert_eq!(delivery["attempts_made"], 3);
    assert_eq!(outcomes(&delivery), ["retry", "retry", "retry"]);
    assert_eq!(delivery["last_outcome"]["kind"], "retry");
    assert!(delivery["finished_at"].is_string() && delivery["next_attempt_at"].is_null(), "{delivery}");
    gateway.delivery_in_state(&next, "target", "delivered").await;
    assert_eq!(numbers(&target.requests(), "m"), [1, 1, 1, 2]);
    assert_eq!(gateway.list("/api/v1/deliveries?state=dead").await.len(), 1);
}

#[tokio::test]
async fn what_can_never_work_is_given_up_at_once() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(9, "1h")).route("all", "", "target");
    let gateway = start(config).await;
    target.script([422]);
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "target", "dead").await;
    assert_eq!(outcomes(&delivery), ["permanent"]);
}

#[tokio::test]
async fn what_a_plugin_leaves_out_is_skipped_and_says_why() {
    let itoc360 = Double::start(Itoc360::new("itoc360-source-token", Provider::PostmanMonitors));
    let gateway = start(with_itoc360(Config::new(), &itoc360, "itoc360-source-token")).await;
    let event = gateway.accept(body::activity("update")).await;
    let delivery = gateway.delivery_in_state(&event, "itoc360", "skipped").await;
    assert_eq!(outcomes(&delivery), ["skipped"]);
    assert!(delivery["last_outcome"]["message"].is_string(), "{delivery}");
    assert!(itoc360.requests().is_empty());
}

/// Adds a destination `itoc360` that takes everything.
fn with_itoc360(config: Config, double: &Double, token: &str) -> Config {
    let settings = format!("config = {{ base_url = \"{}\", token = \"{token}\" }}", double.url(""));
    config.destination("itoc360", "itoc360", &settings).route("incidents", "", "itoc360")
}

#[tokio::test]
async fn wrong_settings_pause_the_destination_and_lose_nothing() {
    let itoc360 = Double::start(Itoc360::new("the-right-source-token", Provider::PostmanMonitors));
    let witness = Double::start(Receiver);
    let config = with_itoc360(Config::new(), &itoc360, "a-wrong-source-token")
        .forward("witness", &witness.url("/"), "")
        .route("all", "", "witness");
    let gateway = start(config).await;

    let first = gateway.accept(body::monitor_run("a", 1)).await;
    itoc360.at_least(1).await;
    let paused = postroom_tests::harness::eventually("the destination to be paused", async || {
        let destination = gateway.get("/api/v1/destinations/itoc360").await;
        (destination["state"] == "paused").then_some(destination)
    })
    .await;
    assert!(paused["paused_until"].is_string() && paused["detail"].is_string(), "{paused}");

    let second = gateway.accept(body::monitor_run("b", 1)).await;
    witness.at_least(2).await;
    assert_eq!(itoc360.requests().len(), 1, "a paused destination is left alone");
    let delivery = gateway.delivery(&first, "itoc360").await;
    assert_eq!((&delivery["state"], &delivery["attempts_made"]), (&json!("pending"), &json!(0)));
    assert_eq!(outcomes(&delivery), ["misconfigured"]);
    assert_eq!(gateway.delivery(&second, "itoc360").await["state"], "pending");
}

#[tokio::test]
async fn with_backlog_latest_only_the_newest_goes_after_a_hold_up() {
    let target = Double::start(Receiver);
    let settings = format!("backlog = \"latest\"\n{}", retry(5, "20ms"));
    let config = Config::new().forward("target", &target.url("/"), &settings).route("all", "", "target");
    let gateway = start(config).await;
    let gate = Gate::new();
    target.script_for("m", [Reply::status(503).behind(&gate)]);

    let mut events = vec![gateway.accept(body::numbered_run("m", 1)).await];
    target.at_least(1).await;
    for number in 2..=4 {
        events.push(gateway.accept(body::numbered_run("m", number)).await);
    }
    // Events reach their lanes in the order of their acceptance: when this one has arrived, the others wait.
    gateway.accept(body::numbered_run("other", 1)).await;
    target.at_least(2).await;

    gate.open();
    gateway.settled().await;
    assert_eq!(numbers(&target.requests(), "m"), [1, 4]);
    let mut states = Vec::new();
    for event in &events {
        states.push(gateway.delivery(event, "target").await["state"].clone());
    }
    assert_eq!(states, ["superseded", "superseded", "superseded", "delivered"]);
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte_with_the_id_of_its_event() {
    let target = Double::start(Receiver);
    let config = Config::new().forward("target", &target.url("/in?box=1"), "").route("all", "", "target");
    let gateway = start(config).await;
    let odd = "\r\n{ \"a\" : 1.0e0 ,\t\"a\":\"\\u00fc ü \u{feff}\" }\n\n";
    let answer =
        Answer::to(gateway.hook().header("content-type", "application/vnd.odd+json").body(odd)).await;
    let large = format!("{{\"collection\":{{\"item\":\"{}\"}}}}", "ü".repeat(2_000_000));
    gateway.accept(large.clone()).await;

    let requests = target.at_least(2).await;
    let (small, large_arrived) = match &requests[..] {
        [a, b] if a.body.len() < b.body.len() => (a, b),
        [a, b] => (b, a),
        _ => panic!("each arrives once: {requests:?}"),
    };
    assert_eq!(small.body, odd);
    assert_eq!(small.target, "/in?box=1");
    assert_eq!(small.header("content-type"), "application/vnd.odd+json");
    assert_eq!(small.header("postroom-event-kind"), "unrecognized");
    assert_eq!(small.header("postroom-event-id"), answer.json()["event_id"]);
    assert_eq!(small.header("idempotency-key"), answer.json()["event_id"]);
    assert!(large_arrived.body == large, "a large body arrives whole");
}

#[tokio::test]
async fn each_matching_route_applies_and_a_destination_gets_an_event_once() {
    let (one, two) = (Double::start(Receiver), Double::start(Receiver));
    let config = Config::new()
        .forward("one", &one.url("/"), "")
        .forward("two", &two.url("/"), "")
        .route("failing", "kinds = [\"monitor_run\"]\nverdict = [\"failed\"]", "two")
        .route("runs", "kinds = [\"monitor_run\"]", "one")
        .route("everything", "", "one");
    let gateway = start(config).await;
    let accepted = gateway.post(body::monitor_run("m", 1)).await.json();
    assert_eq!(accepted["deliveries"], 2);
    assert_eq!(gateway.post(body::monitor_run("m", 0)).await.json()["deliveries"], 1);
    gateway.settled().await;
    assert_eq!((one.requests().len(), two.requests().len()), (2, 1));
    let event = accepted["event_id"].as_str().unwrap();
    assert_eq!(gateway.delivery(event, "one").await["route"], "runs", "the first route that asked for it");
}

#[tokio::test]
async fn an_event_that_no_route_takes_is_kept_and_says_why() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .forward("target", &target.url("/"), "")
        .route("edits", "kinds = [\"activity\"]", "target")
        .route("failing", "kinds = [\"monitor_run\"]\nverdict = [\"failed\"]", "target");
    let gateway = start(config).await;
    let event = gateway.accept(body::monitor_run("m", 0)).await;
    let event = gateway.get(&format!("/api/v1/events/{event}")).await;
    assert_eq!(event["deliveries"], json!([]));
    let routes = event["routes"].as_array().unwrap();
    assert_eq!(routes.iter().map(|route| &route["name"]).collect::<Vec<_>>(), ["edits", "failing"]);
    for (route, reason) in routes.iter().zip(["kind", "verdict"]) {
        assert_eq!(route["matched"], false);
        let reasons = route["reasons"].to_string();
        assert!(reasons.contains(reason), "{reasons} does not name the {reason}");
    }
}

#[tokio::test]
async fn itoc360_opens_and_resolves_by_the_runs_as_postman_sent_them() {
    let token = "itoc360-source-token";
    let itoc360 = Double::start(Itoc360::new(token, Provider::PostmanMonitors));
    let gateway = start(with_itoc360(Config::new(), &itoc360, token)).await;
    let (failing, passing) = (body::monitor_run("m", 2), body::monitor_run("m", 0));
    let opened = gateway.accept(failing.clone()).await;
    let resolved = gateway.accept(passing.clone()).await;
    gateway.settled().await;
    let bodies: Vec<_> = itoc360.taken().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [failing, passing]);
    for (event, kind) in [(opened, "ALERT"), (resolved, "RESOLVE")] {
        let delivery = gateway.delivery(&event, "itoc360").await;
        assert_eq!(delivery["attempts"][0]["record"]["itoc360"]["type"], kind, "{delivery}");
    }
}

#[tokio::test]
async fn itoc360_takes_alerts_in_alertmanagers_form_too() {
    let token = "itoc360-source-token";
    let itoc360 = Double::start(Itoc360::new(token, Provider::Alertmanager));
    let settings = format!(
        "config = {{ base_url = \"{}\", token = \"{token}\", mode = \"alertmanager\" }}",
        itoc360.url("/")
    );
    let config = Config::new().destination("itoc360", "itoc360", &settings).route("incidents", "", "itoc360");
    let gateway = start(config).await;
    gateway.accept(body::monitor_run("m", 2)).await;
    gateway.accept(body::monitor_run("m", 0)).await;
    gateway.settled().await;
    let alerts: Vec<_> = itoc360.taken().iter().map(Request::json).collect();
    assert_eq!(alerts.iter().map(|alert| &alert["status"]).collect::<Vec<_>>(), ["firing", "resolved"]);
    for alert in &alerts {
        assert_eq!(alert["alerts"][0]["fingerprint"], "m", "the same for the failing and the passing run");
    }
}
