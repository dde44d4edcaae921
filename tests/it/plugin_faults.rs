//! A bad plugin hurts only itself.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, body, eventually},
};

use serde_json::{Value, json};

use crate::support::{retry, start};

#[tokio::test]
async fn a_plugin_that_aborts_costs_a_restart_of_its_process_and_nothing_else() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .destination("broken", "faulty-abort", &retry(1, "10ms"))
        .forward("target", &target.url("/"), "")
        .route("to the broken one", "kinds = [\"monitor_run\"]", "broken")
        .route("everything", "", "target");
    let gateway = start(config).await;

    let crashing = gateway.accept(body::monitor_run("a", 0)).await;
    let delivery = eventually("the broken plugin to have crashed", async || {
        let delivery = gateway.delivery(&crashing, "broken").await;
        (delivery["attempts_made"] != 0).then_some(delivery)
    })
    .await;
    assert_eq!(delivery["attempts"][0]["outcome"], "retry");
    assert_eq!(delivery["attempts"][0]["code"], "plugin_crashed", "{delivery}");

    for n in 0..20 {
        gateway.accept(body::monitor_run(&format!("m{n}"), 0)).await;
        gateway.accept(body::activity("update")).await;
    }
    target.at_least(41).await;
    assert_eq!(gateway.get("/api/v1/destinations/target").await["state"], "ready");

    // Its second attempt needs a process that was started again.
    let delivery = gateway.delivery_in_state(&crashing, "broken", "dead").await;
    assert_eq!(delivery["last_outcome"]["code"], "plugin_crashed", "{delivery}");
    assert_eq!(delivery["attempts_made"], 2);
}

#[tokio::test]
async fn a_destination_goes_on_with_other_events_after_its_plugin_crashed() {
    let settings = format!("config = {{ abort_when = \"bad\" }}\n{}", retry(0, ""));
    let config = Config::new().destination("fragile", "faulty-abort", &settings).route("all", "", "fragile");
    let gateway = start(config).await;
    let before = gateway.accept(body::monitor_run("good", 0)).await;
    gateway.delivery_in_state(&before, "fragile", "delivered").await;
    let crashing = gateway.accept(body::monitor_run("bad", 0)).await;
    gateway.delivery_in_state(&crashing, "fragile", "dead").await;

    // Nothing of this waits for the plugin's process in vain, and the wait costs it no attempt.
    let after = gateway.accept(body::monitor_run("good", 0)).await;
    let delivery = gateway.delivery_in_state(&after, "fragile", "delivered").await;
    assert_eq!(delivery["attempts_made"], 1, "{delivery}");
}

#[tokio::test]
async fn an_event_that_ends_its_plugin_is_found_and_dead_after_three_times_and_the_rest_goes_on_in_order() {
    const LANES: [&str; 8] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"];
    const POISON: u64 = 666;
    let poison = format!("config = {{ abort_when_body = ':{POISON},' }}");
    let settings = format!("{poison}\nconcurrency = 4\n{}", retry(20, "10ms"));
    let config = Config::new().destination("fragile", "faulty-abort", &settings).route("all", "", "fragile");
    let gateway = start(config).await;
    gateway.done("/api/v1/destinations/fragile/pause", Value::Null).await;
    let (mut lanes, mut poison) = (LANES.map(|_| Vec::new()), String::new());
    for number in 1..=10 {
        for (monitor, lane) in LANES.iter().zip(&mut lanes) {
            // One in the middle of a lane.
            if (*monitor, number) == ("m3", 3) {
                poison = gateway.accept(body::numbered_run(monitor, POISON)).await;
            }
            lane.push(gateway.accept(body::numbered_run(monitor, number)).await);
        }
    }
    gateway.done("/api/v1/destinations/fragile/resume", Value::Null).await;

    let dead = gateway.delivery_in_state(&poison, "fragile", "dead").await;
    let attempts = dead["attempts"].as_array().unwrap();
    assert!(matches!(attempts.len(), 3 | 4), "maybe once beside others, three times alone: {dead}");
    let (last, before) = attempts.split_last().unwrap();
    assert_eq!((&last["outcome"], &last["code"]), (&json!("permanent"), &json!("plugin_crashed")));
    for expected in ["ended 3 times", "signal 6", "replay"] {
        assert!(last["message"].as_str().unwrap().contains(expected), "{last}");
    }
    for attempt in before {
        assert_eq!((&attempt["outcome"], &attempt["code"]), (&json!("retry"), &json!("plugin_crashed")));
    }

    for (monitor, lane) in LANES.iter().zip(&lanes) {
        let mut begun = Vec::new();
        for event in lane {
            let delivery = gateway.delivery_in_state(event, "fragile", "delivered").await;
            let attempts = delivery["attempts"].as_array().unwrap();
            assert!(attempts.len() <= 2, "it lost more than one attempt: {delivery}");
            // In this format moments sort as texts.
            let at = |attempt: &Value, what: &str| attempt[what].as_str().unwrap().to_owned();
            begun.push((at(&attempts[0], "started_at"), at(attempts.last().unwrap(), "finished_at")));
        }
        for pair in begun.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{monitor} out of order: {begun:?}");
        }
    }
    // Its lane stood still until it was dead.
    let behind = gateway.delivery_in_state(&lanes[3][2], "fragile", "delivered").await;
    let (ended, went_on) = (&last["finished_at"], &behind["attempts"][0]["started_at"]);
    assert!(ended.as_str() <= went_on.as_str(), "{ended} {went_on}");

    let shown = gateway.get("/api/v1/destinations/fragile").await;
    assert_eq!((&shown["waiting"], &shown["in_flight"]), (&json!(0), &json!(0)), "lost 0");
    let restarts = shown["process"]["restarts"].as_u64().unwrap();
    assert_eq!(restarts, attempts.len() as u64);
    let metrics = gateway.ask("/metrics").await.text();
    let sample = format!("postroom_plugin_restarts_total{{destination=\"fragile\"}} {restarts}\n");
    assert!(metrics.contains(&sample), "{metrics}");
}
