//! Incidents that say what failed, as Postman's API knows it.

use postroom_tests::{
    doubles::{Double, PostmanApi, Receiver, Reply},
    harness::{Config, TestGateway, body},
};
use serde_json::{Value, json};

use crate::support::start;

const KEY: &str = "PMAK-0000-a-key-that-is-nobodys";

/// Incidents go to `target`; what failed is asked of `api`.
fn config(target: &Double, api: &Double) -> Config {
    let asking = format!("api_key = \"{KEY}\"\nbase_url = \"{}\"\nwait = \"10s\"", api.url(""));
    Config::new()
        .forward("target", &target.url("/"), "")
        .route("incidents", "kinds = [\"incident_opened\"]", "target")
        .section("tracker.enrich", &asking)
}

/// About now, as the gateway's clock has it.
async fn now(gateway: &TestGateway) -> String {
    let event = gateway.accept(body::monitor_run("another", 0)).await;
    gateway.get(&format!("/api/v1/events/{event}")).await["received_at"].as_str().unwrap().to_owned()
}

async fn opened(target: &Double, count: usize) -> Value {
    target.at_least(count).await[count - 1].json()
}

#[tokio::test]
async fn an_incident_names_the_tests_that_failed() {
    let postman = PostmanApi::new(KEY);
    let (target, api) = (Double::start(Receiver), Double::start(postman.clone()));
    let gateway = start(config(&target, &api)).await;
    let at = now(&gateway).await;
    postman.run("m-1", &at, &[("Is up", "expected 200, got 503"), ("Is quick", "took 9 s")]);
    gateway.accept(body::monitor_run("m-1", 2)).await;
    let expected = json!([
        {"name": "Is up", "request": "Pay", "error": "expected 200, got 503"},
        {"name": "Is quick", "request": "Pay", "error": "took 9 s"},
    ]);
    assert_eq!(opened(&target, 1).await["failures"], expected);

    // A run that counts other failures is another run, and a monitor that the key cannot see has none.
    postman.run("m-2", &at, &[("Is up", "expected 200, got 503")]);
    gateway.accept(body::monitor_run("m-2", 3)).await;
    assert_eq!(opened(&target, 2).await["failures"], Value::Null);
    gateway.accept(body::monitor_run("m-3", 1)).await;
    assert_eq!(opened(&target, 3).await["failures"], Value::Null);
    let refused = api.requests().iter().filter(|request| request.answered != 200).count();
    assert_eq!(refused, 1, "only what it cannot know is refused");
    assert!(gateway.log_lines().iter().all(|line| !line.contains(KEY)), "the key is in the log");
}

#[tokio::test]
async fn an_incident_is_told_whatever_postman_answers() {
    let (target, api) = (Double::start(Receiver), Double::start(PostmanApi::new(KEY)));
    let mut gateway = start(config(&target, &api)).await;
    let elsewhere = Reply::status(302).header("location", "http://127.0.0.1:9/elsewhere");
    let replies = [Reply::status(500), Reply::json(200, &json!("nonsense")), elsewhere, Reply::status(403)];
    api.script(replies);
    for n in 1..=6 {
        gateway.accept(body::monitor_run(&format!("m-{n}"), 1)).await;
        let told = opened(&target, n).await;
        assert_eq!((&told["monitor"]["uid"], &told["failures"]), (&json!(format!("m-{n}")), &Value::Null));
    }
    assert_eq!(api.requests().len(), 4, "after a 403 it is left alone for a while");

    // A reload of other settings does not forget that.
    let changed = gateway.config().clone().section("tracker", "slo = 99.0");
    gateway.reconfigure(changed);
    let reloaded = gateway.done("/api/v1/config/reload", Value::Null).await;
    assert_eq!(reloaded["applied"], json!(["tracker.slo"]));
    gateway.accept(body::monitor_run("m-7", 1)).await;
    opened(&target, 7).await;
    assert_eq!(api.requests().len(), 4, "a reload is no reason to ask again");
}
