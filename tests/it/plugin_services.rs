//! What plugins make, measure and ask time for, through the whole gateway.

use std::process::Command;

use postroom_tests::harness::{Config, TestGateway, eventually};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{program, retry};

/// A gateway whose plugins are `faulty/speaker.c` and nothing else, and the folder that they lie in.
async fn start(config: Config) -> (TestGateway, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tests = env!("CARGO_MANIFEST_DIR");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-shared", "-fPIC", "-fvisibility=hidden", "-pthread", "-I"])
        .arg(format!("{tests}/../sdk/c"))
        .arg("-o")
        .arg(folder.path().join("libpostroom_plugin_speaker.so"))
        .arg(format!("{tests}/faulty/speaker.c"))
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let program = program().with_variables([("POSTROOM_PLUGINS_PATH", folder.path().into())]);
    (TestGateway::start(&program, config).await, folder)
}

/// The settings of a destination that answers every event with one of this kind.
fn relay(kind: &str) -> String {
    format!("emit = true\nconfig = {{ relay = \"{kind}\" }}")
}

/// The events of a kind, once there are so many, newest first.
async fn events(gateway: &TestGateway, kind: &str, count: usize) -> Vec<Value> {
    let found = || async {
        let events = gateway.list(&format!("/api/v1/events?kind={kind}")).await;
        (events.len() >= count).then_some(events)
    };
    eventually("the events of plugins", found).await
}

fn id(event: &Value) -> &str {
    event["id"].as_str().unwrap()
}

/// What the plugin said to the event in the end.
async fn message(gateway: &TestGateway, event: &str, destination: &str) -> String {
    let delivery = gateway.delivery_in_state(event, destination, "delivered").await;
    delivery["last_outcome"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_a_plugin_makes_is_routed_from_plugin_to_plugin() {
    let config = Config::new()
        .destination("first", "speaker", &relay("page_opened"))
        .destination("second", "speaker", &relay("page_closed"))
        .destination("log", "speaker", "")
        .route("in", "sources = [\"postman\"]", "first")
        .route("opened", "kinds = [\"page_opened\"]", "second")
        .route("closed", "when = \"event.kind == 'page_closed'\"", "log")
        // Never: an event does not go back to the plugin that made it.
        .route("back", "kinds = [\"page_opened\"]", "first");
    let (gateway, _plugins) = start(config).await;
    let event = gateway.accept("anything").await;
    assert_eq!(message(&gateway, &event, "first").await, "0");

    let opened = events(&gateway, "page_opened", 1).await;
    assert_eq!(
        (opened[0]["source"].as_str(), opened[0]["subject"].as_str()),
        (Some("destination:first"), Some("night run"))
    );
    assert_eq!(message(&gateway, id(&opened[0]), "second").await, "0");
    let detail = gateway.get(&format!("/api/v1/events/{}", id(&opened[0]))).await;
    assert_eq!(detail["deliveries"].as_array().unwrap().len(), 1, "{detail}");
    assert_eq!(detail["note"], "not sent to \"first\", whose plugin made it");

    let closed = events(&gateway, "page_closed", 1).await;
    assert_eq!(closed[0]["source"], "destination:second");
    gateway.delivery_in_state(id(&closed[0]), "log", "delivered").await;
    let metrics = gateway.ask("/metrics").await.text();
    let counted = "postroom_events_total{source=\"destination:first\",kind=\"page_opened\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn events_that_are_led_in_a_circle_come_to_an_end() {
    let config = Config::new()
        .destination("a", "speaker", &relay("page_opened"))
        .destination("b", "speaker", &relay("page_closed"))
        .route("in", "sources = [\"postman\"]", "a")
        .route("opened", "kinds = [\"page_opened\"]", "b")
        .route("closed", "kinds = [\"page_closed\"]", "a");
    let (gateway, _plugins) = start(config).await;
    gateway.accept("anything").await;
    let closed = events(&gateway, "page_closed", 2).await;
    // Four plugins stand behind this one: nobody may answer it.
    assert_eq!(message(&gateway, id(&closed[0]), "a").await, "-7");
    let refused = gateway.logs().message("event of a plugin refused").await;
    assert_eq!(refused["destination"], "a", "{refused}");
    assert_eq!(events(&gateway, "page_opened", 2).await.len(), 2);
    assert_eq!(events(&gateway, "page_closed", 2).await.len(), 2);
}

#[tokio::test]
async fn a_plugin_that_crashes_after_it_made_events_makes_them_once() {
    let settings = format!("emit = true\n{}", retry(3, "100ms"));
    let config =
        Config::new().destination("out", "speaker", &settings).route("in", "sources = [\"postman\"]", "out");
    let (gateway, _plugins) = start(config).await;
    let event = gateway.accept("crash page_opened 3").await;
    assert_eq!(message(&gateway, &event, "out").await, "0r 0r 0r");
    assert_eq!(events(&gateway, "page_opened", 3).await.len(), 3);
}

#[tokio::test]
async fn kill_9_between_an_event_and_the_outcome_makes_none_twice_and_loses_none() {
    let config = Config::new()
        .destination("out", "speaker", "emit = true")
        .destination("log", "speaker", "")
        .route("in", "sources = [\"postman\"]", "out")
        .route("opened", "kinds = [\"page_opened\"]", "log");
    let (mut gateway, _plugins) = start(config).await;
    let event = gateway.accept("hold page_opened 3").await;
    let before = events(&gateway, "page_opened", 3).await;
    gateway.kill().await;
    gateway.restart().await;
    assert_eq!(message(&gateway, &event, "out").await, "0r 0r 0r");
    let after = events(&gateway, "page_opened", 3).await;
    assert_eq!(after, before);
    for opened in &after {
        gateway.delivery_in_state(id(opened), "log", "delivered").await;
    }
}

#[tokio::test]
async fn without_the_operators_word_a_plugin_makes_nothing() {
    let config =
        Config::new().destination("out", "speaker", "").route("in", "sources = [\"postman\"]", "out");
    let (gateway, _plugins) = start(config).await;
    let event = gateway.accept("emit page_opened 1").await;
    assert_eq!(message(&gateway, &event, "out").await, "refused-2");
    assert!(gateway.list("/api/v1/events?kind=page_opened").await.is_empty());
}

#[tokio::test]
async fn what_a_plugin_measures_is_in_the_metrics_of_the_gateway() {
    let config =
        Config::new().destination("out", "speaker", "").route("in", "sources = [\"postman\"]", "out");
    let (gateway, _plugins) = start(config).await;
    let event = gateway.accept("measure").await;
    message(&gateway, &event, "out").await;
    let metrics = gateway.ask("/metrics").await.text();
    for line in [
        "postroom_plugin_counter_pages_total{destination=\"out\",plugin=\"speaker\",team=\"s3cret-token\"} 1.5",
        "postroom_plugin_gauge_open{destination=\"out\",plugin=\"speaker\"} -2.0",
        "postroom_plugin_histogram_took_sum{destination=\"out\",plugin=\"speaker\"} 0.25",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
    }
}

#[tokio::test]
async fn an_attempt_takes_as_long_as_the_plugin_asks_within_the_bound() {
    let settings = format!("timeout = \"300ms\"\ntimeout_max = \"20s\"\n{}", retry(0, ""));
    let config = Config::new()
        .destination("patient", "speaker", &settings)
        .destination("strict", "speaker", &settings.replace("20s", "600ms"))
        .route("in", "sources = [\"postman\"]", "patient")
        .route("too", "sources = [\"postman\"]", "strict");
    let (gateway, _plugins) = start(config).await;
    let event = gateway.accept("extend 15000 1500").await;
    assert_eq!(message(&gateway, &event, "patient").await, "0 later");
    let dead = gateway.delivery_in_state(&event, "strict", "dead").await;
    assert_eq!(dead["last_outcome"]["code"], "timeout", "{dead}");
}
