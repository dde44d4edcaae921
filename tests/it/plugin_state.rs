//! What a plugin keeps in the gateway's store.

use std::{collections::BTreeSet, process::Command};

use postroom_tests::harness::{Config, TestGateway, body};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{program, retry};

/// A gateway whose plugins are `faulty/counter.c` and nothing else, and the folder that they lie in.
async fn start(config: Config) -> (TestGateway, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let tests = env!("CARGO_MANIFEST_DIR");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let done = Command::new(compiler)
        .args(["-std=c99", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-fvisibility=hidden", "-I"])
        .arg(format!("{tests}/../sdk/c"))
        .arg("-o")
        .arg(folder.path().join("libpostroom_plugin_counter.so"))
        .arg(format!("{tests}/faulty/counter.c"))
        .output()
        .expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let program = program().with_variables([("POSTROOM_PLUGINS_PATH", folder.path().into())]);
    (TestGateway::start(&program, config).await, folder)
}

/// What the destination's plugin has said to the event.
async fn count(gateway: &TestGateway, event: &str, destination: &str) -> u64 {
    let delivery = gateway.delivery_in_state(event, destination, "delivered").await;
    delivery["last_outcome"]["message"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn deliveries_that_race_all_count_each_destination_for_itself_and_kill_9_forgets_none() {
    const EVENTS: u64 = 200;
    let config = Config::new()
        .destination("one", "faulty-counter", "concurrency = 20")
        .destination("other", "faulty-counter", "concurrency = 1")
        .route("all", "", "one")
        .route("few", "monitor = [\"m7\"]", "other");
    let (mut gateway, _plugins) = start(config).await;
    gateway.done("/api/v1/destinations/one/pause", Value::Null).await;
    let mut events = Vec::new();
    for n in 0..EVENTS {
        events.push(gateway.accept(body::monitor_run(&format!("m{n}"), 0)).await);
    }
    gateway.done("/api/v1/destinations/one/resume", Value::Null).await;
    let mut counts = BTreeSet::new();
    for event in &events {
        counts.insert(count(&gateway, event, "one").await);
    }
    assert_eq!(counts, (1..=EVENTS).collect());
    assert_eq!(count(&gateway, &events[7], "other").await, 1);

    gateway.kill().await;
    gateway.restart().await;
    let event = gateway.accept(body::monitor_run("m7", 0)).await;
    assert_eq!(count(&gateway, &event, "one").await, EVENTS + 1);
    assert_eq!(count(&gateway, &event, "other").await, 2);
}

#[tokio::test]
async fn two_thousand_increments_at_the_same_time_are_two_thousand() {
    let settings = "concurrency = 20\nconfig = { hundredfold = true }";
    let config = Config::new().destination("many", "faulty-counter", settings).route("all", "", "many");
    let (gateway, _plugins) = start(config).await;
    gateway.done("/api/v1/destinations/many/pause", Value::Null).await;
    let mut events = Vec::new();
    for n in 0..20 {
        events.push(gateway.accept(body::monitor_run(&format!("m{n}"), 0)).await);
    }
    gateway.done("/api/v1/destinations/many/resume", Value::Null).await;
    let mut last = 0;
    for event in &events {
        last = last.max(count(&gateway, event, "many").await);
    }
    assert_eq!(last, 2000, "the last of them all says how many there were");
}

#[tokio::test]
async fn a_plugin_may_keep_as_much_as_its_destination_says() {
    let settings = format!("config = {{ by_subject = true }}\nstate = {{ keys = 1 }}\n{}", retry(0, ""));
    let config = Config::new().destination("tight", "faulty-counter", &settings).route("all", "", "tight");
    let (gateway, _plugins) = start(config).await;
    let first = gateway.accept(body::monitor_run("a", 0)).await;
    assert_eq!(count(&gateway, &first, "tight").await, 1);
    let second = gateway.accept(body::monitor_run("b", 0)).await;
    let dead = gateway.delivery_in_state(&second, "tight", "dead").await;
    assert_eq!(dead["last_outcome"]["message"], "put: status -6", "{dead}");
    let again = gateway.accept(body::monitor_run("a", 0)).await;
    assert_eq!(count(&gateway, &again, "tight").await, 2);
}
