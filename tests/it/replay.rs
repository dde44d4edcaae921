//! Finished deliveries go once more: one that a person picked, or all that match.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, TestGateway, body, eventually, random_token},
};
use serde_json::{Value, json};

use crate::support::{at_rest, retry, start};

const REPLAYS: &str = "/api/v1/replays";

/// A gateway whose target has refused these runs of monitor `m` for good, and takes everything from now on.
async fn with_dead_letters(target: &Double, runs: u64) -> TestGateway {
    let config = Config::new().forward("target", &target.url("/"), &retry(0, "")).route("all", "", "target");
    let gateway = start(config).await;
    for number in 1..=runs {
        target.script_for("m", [422]);
        let event = gateway.accept(body::numbered_run("m", number)).await;
        gateway.delivery_in_state(&event, "target", "dead").await;
    }
    gateway
}

fn numbers(target: &Double) -> Vec<u64> {
    target.taken().iter().map(|request| body::run_number(&request.body)).collect()
}

fn made_by(replay: &Value) -> String {
    format!("/api/v1/deliveries?replay_id={}", replay.as_str().unwrap())
}

async fn replay_in_state(gateway: &TestGateway, id: &Value, state: &str) -> Value {
    let path = format!("{REPLAYS}/{}", id.as_str().unwrap());
    eventually(&format!("the replay to be {state}"), async || {
        let replay = gateway.get(&path).await;
        (replay["state"] == state).then_some(replay)
    })
    .await
}

#[tokio::test]
async fn dead_letters_are_counted_first_and_then_go_once_more_in_order() {
    let target = Double::start(Receiver);
    let gateway = with_dead_letters(&target, 3).await;
    let filter = json!({"state": "dead", "destination": "target", "kind": "monitor_run", "subject": "m",
        "source": Config::SOURCE, "created_after": "2020-01-01T00:00:00Z"});

    let dry = gateway.done(REPLAYS, json!({"filter": filter, "dry_run": true})).await;
    assert_eq!(dry, json!({"count": 3}));
    assert!(gateway.list(REPLAYS).await.is_empty() && target.taken().is_empty(), "a dry run does nothing");

    let begun = gateway.done(REPLAYS, json!({"filter": filter})).await;
    assert_eq!(begun["count"], 3);
    let replay = replay_in_state(&gateway, &begun["id"], "done").await;
    assert_eq!((&replay["made"], &replay["created_by"]), (&json!(3), &json!("test")));
    gateway.settled().await;
    assert_eq!(numbers(&target), [1, 2, 3]);
    let replay = replay_in_state(&gateway, &begun["id"], "done").await;
    assert_eq!(replay["progress"], json!({"waiting": 0, "delivered": 3, "dead": 0, "other": 0}));

    let dead = gateway.list("/api/v1/deliveries?state=dead").await;
    let again = gateway.list(&made_by(&begun["id"])).await;
    assert_eq!((dead.len(), again.len()), (3, 3), "the first ones stay as they were");
    for (first, again) in dead.iter().zip(&again) {
        assert_eq!((&again["replay_of"], &first["replayed_by"]), (&first["id"], &again["id"]));
        assert_eq!((&again["state"], &again["replayed_by"]), (&json!("delivered"), &Value::Null));
        assert_eq!((&again["event_id"], &again["lane"]), (&first["event_id"], &first["lane"]));
        assert_eq!((&again["replay"], &again["attempts_made"]), (&begun["id"], &json!(1)));
    }
}

#[tokio::test]
async fn asked_for_twice_dead_letters_go_once_more_and_not_twice() {
    let target = Double::start(Receiver);
    let gateway = with_dead_letters(&target, 5).await;
    let all_dead = || json!({"filter": {"state": "dead"}});
    let (first, second) = tokio::join!(gateway.done(REPLAYS, all_dead()), gateway.done(REPLAYS, all_dead()));
    let mut made = 0;
    for begun in [&first, &second] {
        let replay = replay_in_state(&gateway, &begun["id"], "done").await;
        assert!(replay["made"].as_u64() <= replay["count"].as_u64(), "{replay}");
        let listed = gateway.list(&made_by(&begun["id"])).await;
        assert_eq!(replay["made"], listed.len());
        made += listed.len();
    }
    gateway.settled().await;
    assert_eq!((made, numbers(&target)), (5, vec![1, 2, 3, 4, 5]));
    // They are dead for ever, and nothing is left to do about it.
    assert_eq!(gateway.list("/api/v1/deliveries?state=dead").await.len(), 5);
    let third = gateway.done(REPLAYS, all_dead()).await;
    assert_eq!(third["count"], 0);
    assert_eq!(replay_in_state(&gateway, &third["id"], "done").await["made"], 0);
    for nothing in [&third["id"], &json!("77"), &json!("seven")] {
        assert!(gateway.list(&made_by(nothing)).await.is_empty());
    }
}

#[tokio::test]
async fn what_died_again_is_one_dead_letter_and_not_two() {
    let target = Double::start(Receiver);
    let gateway = with_dead_letters(&target, 2).await;
    for _ in 0..3 {
        target.script_for("m", [422; 2]);
        let begun = gateway.done(REPLAYS, json!({"filter": {"state": "dead"}})).await;
        assert_eq!(begun["count"], 2);
        assert_eq!(replay_in_state(&gateway, &begun["id"], "done").await["made"], 2);
        gateway.settled().await;
    }
    assert!(target.taken().is_empty());
    assert_eq!(gateway.list("/api/v1/deliveries?state=dead").await.len(), 8);
}

#[tokio::test]
async fn a_replayed_delivery_has_its_whole_budget_again() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(2, "10ms")).route("all", "", "target");
    let gateway = start(config).await;
    target.script([503; 5]);
    let event = gateway.accept(body::monitor_run("m", 1)).await;
    gateway.delivery_in_state(&event, "target", "dead").await;
    let begun = gateway.done(REPLAYS, json!({"filter": {"event_id": event}})).await;
    replay_in_state(&gateway, &begun["id"], "done").await;
    gateway.settled().await;
    let again = &gateway.list("/api/v1/deliveries?state=delivered").await[0];
    assert_eq!(again["attempts_made"], 3, "two more failures did not kill it");
}

#[tokio::test]
async fn a_replay_survives_a_crash_and_makes_each_delivery_once() {
    let target = Double::start(Receiver);
    let mut gateway = with_dead_letters(&target, 6).await;
    let begun = gateway.done(REPLAYS, json!({"filter": {"state": "dead"}, "per_second": 2})).await;
    target.at_least(7).await;
    gateway.kill().await;
    gateway.restart().await;
    let replay = replay_in_state(&gateway, &begun["id"], "done").await;
    assert_eq!(replay["made"], 6);
    gateway.settled().await;
    let again = gateway.list("/api/v1/deliveries?state=delivered").await;
    let mut originals: Vec<_> = again.iter().map(|delivery| delivery["replay_of"].to_string()).collect();
    originals.dedup();
    assert_eq!(originals.len(), 6, "one new delivery for each: {again:#?}");
    let mut arrived = numbers(&target);
    arrived.dedup();
    assert_eq!(arrived, [1, 2, 3, 4, 5, 6], "in order, and doubled around the crash only");
}

#[tokio::test]
async fn a_cancelled_replay_makes_no_more() {
    let target = Double::start(Receiver);
    let gateway = with_dead_letters(&target, 4).await;
    let begun = gateway.done(REPLAYS, json!({"filter": {}, "per_second": 1})).await;
    let path = format!("{REPLAYS}/{}/cancel", begun["id"].as_str().unwrap());
    let cancelled = gateway.done(&path, Value::Null).await;
    assert_eq!(cancelled["state"], "cancelled");
    assert!(cancelled["finished_at"].is_string() && cancelled["made"].as_u64().unwrap() < 4, "{cancelled}");
    gateway.settled().await;
    assert_eq!(gateway.done(&path, Value::Null).await["made"], cancelled["made"], "cancelling twice is fine");
    assert_eq!(gateway.list(REPLAYS).await[0]["id"], begun["id"]);
    gateway.act(&format!("{REPLAYS}/77/cancel"), Value::Null).await.assert_problem(404, "not_found");
    gateway.ask(&format!("{REPLAYS}/77")).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn a_wish_that_can_match_nothing_is_refused_with_its_field() {
    let target = Double::start(Receiver);
    let viewer = random_token();
    let config = Config::new().key("viewer", "viewer", &viewer).forward("target", &target.url("/"), "");
    let gateway = start(config).await;
    for (filter, field) in [
        (json!({"state": "retrying"}), "filter.state"),
        (json!({"destination": "tagret"}), "filter.destination"),
        (json!({"event_id": "1"}), "filter.event_id"),
        (json!({"states": "dead"}), "states"),
    ] {
        let answer = gateway.act(REPLAYS, json!({"filter": filter, "dry_run": true})).await;
        answer.assert_problem(400, "invalid_body");
        let detail = answer.json()["detail"].to_string();
        assert!(detail.contains(field), "{detail} does not name {field}");
    }
    let body = json!({"filter": {}, "dry_run": true});
    gateway.act_with(&viewer, REPLAYS, body.clone()).await.assert_problem(403, "forbidden");
    gateway.act_with("nobody's", REPLAYS, body).await.assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn one_delivery_is_retried_by_a_new_one_when_it_is_final() {
    let target = Double::start(Receiver);
    let gateway = with_dead_letters(&target, 1).await;
    let dead = gateway.list("/api/v1/deliveries?state=dead").await.remove(0);
    let path = format!("/api/v1/deliveries/{}/retry", dead["id"].as_str().unwrap());
    let again = gateway.done(&path, Value::Null).await;
    assert_eq!((&again["replay_of"], &again["replay"]), (&dead["id"], &Value::Null));
    gateway.settled().await;
    assert_eq!(numbers(&target), [1]);
    gateway.act("/api/v1/deliveries/77/retry", Value::Null).await.assert_problem(404, "not_found");
}

#[tokio::test]
async fn whichever_of_a_chain_is_retried_its_newest_goes() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(1, "1h")).route("all", "", "target");
    let gateway = start(config).await;
    target.script([422, 503]);
    let event = gateway.accept(body::monitor_run("m", 1)).await;
    let first = gateway.delivery_in_state(&event, "target", "dead").await["id"].clone();
    let path = format!("/api/v1/deliveries/{}/retry", first.as_str().unwrap());
    let second = gateway.done(&path, Value::Null).await["id"].clone();
    eventually("the second one to wait", async || {
        let waiting = gateway.list("/api/v1/deliveries?state=retrying").await;
        (waiting.len() == 1).then_some(())
    })
    .await;
    at_rest(&gateway, "target").await;
    // For an hour, unless someone asks for it, or for the first one.
    assert_eq!(gateway.done(&path, Value::Null).await["id"], second);
    gateway.settled().await;
    assert_eq!(numbers(&target).len(), 1);
    let third = gateway.done(&path, Value::Null).await;
    assert_eq!(third["replay_of"], second);
    gateway.settled().await;
    assert_eq!((numbers(&target).len(), gateway.list("/api/v1/deliveries").await.len()), (2, 3));
}

#[tokio::test]
async fn a_delivery_that_waits_for_its_retry_goes_at_once_when_asked() {
    let target = Double::start(Receiver);
    let config =
        Config::new().forward("target", &target.url("/"), &retry(3, "1h")).route("all", "", "target");
    let gateway = start(config).await;
    target.script([503]);
    let event = gateway.accept(body::monitor_run("m", 1)).await;
    let waiting = gateway.delivery_in_state(&event, "target", "retrying").await;
    at_rest(&gateway, "target").await;
    let path = format!("/api/v1/deliveries/{}/retry", waiting["id"].as_str().unwrap());
    assert_eq!(gateway.done(&path, Value::Null).await["id"], waiting["id"]);
    let delivered = gateway.delivery_in_state(&event, "target", "delivered").await;
    assert_eq!(delivered["attempts_made"], 2);
}
