//! What a plugin may do, from the configuration to the process.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, body, eventually},
};
use serde_json::{Value, json};

use crate::support::start;

/// The layers of a whole sandbox.
const LAYERS: [&str; 6] =
    ["no_new_privs", "not_dumpable", "limits", "no_capabilities", "landlock", "seccomp"];

#[tokio::test]
async fn the_bundled_plugins_work_in_a_whole_sandbox_which_is_shown() {
    let target = Double::start(Receiver);
    let sandbox = "sandbox = \"required\"";
    let settings = format!("config = {{ root = \"data/kept/backups\" }}\n{sandbox}");
    let config = Config::new()
        .forward("target", &target.url("/"), sandbox)
        .destination("backups", "backup", &settings)
        .route("everything", "", "target")
        .route("backups", "kinds = [\"collection_backup\"]", "backups");
    let gateway = start(config).await;
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    gateway.delivery_in_state(&event, "target", "delivered").await;

    for name in ["target", "backups"] {
        let shown = eventually("the plugin to be ready", async || {
            let shown = gateway.get(&format!("/api/v1/destinations/{name}")).await;
            (shown["state"] == "ready").then_some(shown)
        })
        .await;
        assert_eq!(
            shown["sandbox"],
            json!({ "mode": "required", "active": LAYERS, "missing": [] }),
            "{name}"
        );
        let process = &shown["process"];
        assert!(process["pid"].as_u64() > Some(1) && process["memory_bytes"].as_u64() > Some(0), "{process}");
        assert_eq!(process["restarts"], 0);
    }
}

#[tokio::test]
async fn a_port_that_is_not_granted_is_not_reached() {
    let target = Double::start(Receiver);
    let grant = "retry = []\n[destination.grant]\nnetwork = [\"tcp:1\"]";
    let config = Config::new().forward("target", &target.url("/"), grant).route("all", "", "target");
    let gateway = start(config).await;
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    let delivery = gateway.delivery_in_state(&event, "target", "dead").await;
    assert_eq!(delivery["last_outcome"]["kind"], "retry", "{delivery}");
}

#[tokio::test]
async fn a_plugin_that_is_not_the_pinned_one_is_not_loaded() {
    let pin = format!("sha256 = \"{}\"", "0".repeat(64));
    let config = Config::new().forward("target", "http://127.0.0.1:9/", &pin).route("all", "", "target");
    let gateway = start(config).await;
    let shown: Value = eventually("the plugin to be refused", async || {
        let shown = gateway.get("/api/v1/destinations/target").await;
        (shown["state"] == "backing_off").then_some(shown)
    })
    .await;
    let detail = shown["detail"].as_str().unwrap();
    assert!(
        detail.contains("has the SHA-256") && detail.contains("the configuration wants 0000"),
        "{detail}"
    );
    assert_eq!((&shown["process"], &shown["sandbox"]), (&Value::Null, &Value::Null));
}
