//! A bad plugin hurts only itself.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, body, eventually},
};

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
