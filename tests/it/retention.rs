//! What is finished goes after its time; what waits, and what is kept longer, stays.

use std::fs;

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, TestGateway, body, eventually},
};

use crate::support::{retry, start};

/// Restarts the gateway, which looks for old events at its start, until this event is gone.
async fn until_gone(gateway: &mut TestGateway, event: &str) {
    let path = format!("/api/v1/events/{event}");
    eventually("an old event to go", async || {
        gateway.terminate().await;
        gateway.restart().await;
        // It looks right after its start; whatever was not old enough by then has to wait for the next one.
        for _ in 0..100 {
            if gateway.ask(&path).await.status == 404 {
                return Some(());
            }
        }
        None
    })
    .await;
}

/// The files of large bodies, those under way included.
fn blobs(gateway: &TestGateway) -> usize {
    let mut folders = vec![gateway.folder().join("data/postroom.db.blobs")];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.path().is_dir() {
                folders.push(entry.path());
            } else {
                files += 1;
            }
        }
    }
    files
}

fn large(text: &str) -> String {
    format!("{{\"collection\":{{\"item\":\"{}\"}}}}", text.repeat(100 * 1024))
}

#[tokio::test]
async fn an_old_event_goes_as_a_whole_with_its_body() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .section("retention", "events = \"1s\"\nidempotency_keys = \"1s\"")
        .forward("target", &target.url("/"), "")
        .route("all", "", "target");
    let mut gateway = start(config).await;
    let small = gateway.accept(body::monitor_run("m", 0)).await;
    let big = gateway.accept(large("x")).await;
    gateway.settled().await;
    assert_eq!(blobs(&gateway), 1);
    until_gone(&mut gateway, &small).await;
    until_gone(&mut gateway, &big).await;
    gateway.ask(&format!("/api/v1/events/{big}/body")).await.assert_problem(404, "not_found");
    assert!(gateway.list("/api/v1/deliveries").await.is_empty());
    eventually("the file of the body to go", async || (blobs(&gateway) == 0).then_some(())).await;
}

#[tokio::test]
async fn the_oldest_go_before_their_age_when_there_is_too_much_and_what_waits_stays() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .section("retention", "events = \"forever\"\nsize = \"2 MiB\"")
        .forward("target", &target.url("/"), &retry(1, "1h"))
        .route("all", "", "target");
    let mut gateway = start(config).await;
    target.script_for("waits", [503]);
    let waits = gateway.accept(body::monitor_run("waits", 1)).await;
    gateway.delivery_in_state(&waits, "target", "retrying").await;
    // A run that fails opens an incident; the event that says so goes nowhere here, and so it is the oldest that may go.
    let told = async || gateway.list("/api/v1/events?kind=incident_opened").await.pop();
    let told = eventually("the incident to be told", told).await;
    assert_eq!(told["source"], "postroom:tracker");
    let mut events = Vec::new();
    for number in 0..20 {
        // 200 KiB each, so four megabytes together.
        let event = gateway.accept(large(&format!("{number:02}"))).await;
        gateway.delivery_in_state(&event, "target", "delivered").await;
        events.push(event);
    }
    // It looks right after its start.
    gateway.terminate().await;
    gateway.restart().await;
    let removed = gateway.logs().message("old events are removed, for their age or for room").await;
    let gone = removed["blobs"].as_u64().unwrap();
    assert_eq!(removed["events"], gone + 1, "{removed}");
    assert!(
        gateway.list("/api/v1/events?kind=incident_opened").await.is_empty(),
        "it was older than all of them"
    );
    gateway.ask(&format!("/api/v1/events/{}", events[0])).await.assert_problem(404, "not_found");
    let newest = events.last().unwrap();
    assert_eq!(gateway.ask(&format!("/api/v1/events/{newest}/body")).await.text(), large("19"));
    assert_eq!(gateway.delivery(&waits, "target").await["state"], "retrying");
    let kept = gateway.list("/api/v1/events?source=postman").await;
    let kept: Vec<_> = kept.iter().rev().map(|event| event["id"].as_str().unwrap()).collect();
    assert_eq!(kept[0], waits, "it is the oldest of all");
    assert_eq!(kept[1..], events[usize::try_from(gone).unwrap()..], "those that are kept are the newest");
    assert!(kept.len() > 5, "no more goes than has to: {kept:?}");
    let told = gateway.logs().lines().join("\n");
    assert!(!told.contains("takes more room than it may"), "there is room now");
}

#[tokio::test]
async fn what_waits_and_what_is_kept_longer_stays() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .section("retention", "events = \"1s\"\ndead_letters = \"forever\"")
        .forward("target", &target.url("/"), &retry(1, "1h"))
        .route("all", "", "target");
    let mut gateway = start(config).await;
    target.script_for("dead", [422]);
    target.script_for("waits", [503]);
    let dead = gateway.accept(body::monitor_run("dead", 1)).await;
    let waits = gateway.accept(body::monitor_run("waits", 1)).await;
    let gone = gateway.accept(body::monitor_run("gone", 1)).await;
    gateway.delivery_in_state(&dead, "target", "dead").await;
    gateway.delivery_in_state(&waits, "target", "retrying").await;
    gateway.delivery_in_state(&gone, "target", "delivered").await;
    until_gone(&mut gateway, &gone).await;
    for (event, state) in [(&dead, "dead"), (&waits, "retrying")] {
        assert_eq!(gateway.delivery(event, "target").await["state"], state);
    }
}

#[tokio::test]
async fn a_body_that_two_events_share_stays_with_the_second() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .section("retention", "events = \"1s\"\ndead_letters = \"forever\"")
        .forward("target", &target.url("/"), &retry(0, ""))
        .route("all", "", "target");
    let mut gateway = start(config).await;
    let first = gateway.accept(large("y")).await;
    gateway.delivery_in_state(&first, "target", "delivered").await;
    target.script([422]);
    let second = gateway.accept(large("y")).await;
    gateway.delivery_in_state(&second, "target", "dead").await;
    assert_eq!(blobs(&gateway), 1, "the same bytes are kept once");
    until_gone(&mut gateway, &first).await;
    assert_eq!(gateway.ask(&format!("/api/v1/events/{second}/body")).await.text(), large("y"));
}
