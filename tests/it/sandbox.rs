//! What a plugin may do, from the configuration to the process.

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, body, eventually},
};
use serde_json::{Value, json};

use crate::support::{program, start};

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

/// Delivers to `url` with this grant, and no retries: a retry would be a dead letter.
async fn is_not_granted(url: &str, network: &str) {
    let grant = format!("retry = []\n[destination.grant]\nnetwork = {network}");
    let config = Config::new().forward("target", url, &grant).route("all", "", "target");
    let gateway = start(config).await;
    let event = gateway.accept(body::monitor_run("a", 0)).await;
    let delivery = eventually("the delivery to be tried", async || {
        let delivery = gateway.delivery(&event, "target").await;
        (!delivery["last_outcome"].is_null()).then_some(delivery)
    })
    .await;
    let outcome = &delivery["last_outcome"];
    assert_eq!(
        (&outcome["kind"], &outcome["code"]),
        (&"misconfigured".into(), &"not_granted".into()),
        "{delivery}"
    );
    assert_ne!(delivery["state"], "dead", "{delivery}");
}

#[tokio::test]
async fn a_port_that_is_not_granted_costs_no_event() {
    let target = Double::start(Receiver);
    is_not_granted(&target.url("/"), "[\"tcp:1\"]").await;
    // Without any port there are no sockets, not even to look a name up.
    is_not_granted(&target.url("/"), "[]").await;
    is_not_granted("http://receiver.invalid/", "[]").await;
    assert!(target.requests().is_empty());
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

#[tokio::test]
async fn what_belongs_to_the_system_or_to_the_gateway_is_granted_to_no_plugin() {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink("/proc/self", folder.path().join("link")).unwrap();
    for (root, expected) in [
        ("/proc/self", "is granted to no plugin: it lies in /proc"),
        ("/dev/shm/backups", "is granted to no plugin: it lies in /dev"),
        ("link/fd", "is granted to no plugin: it lies in /proc"),
        ("data", "data/postroom.db, which is the gateway's own, lies in it"),
        (".", "data/postroom.db, which is the gateway's own, lies in it"),
    ] {
        let settings = format!("config = {{ root = \"{root}\" }}");
        let config = Config::new().destination("backups", "backup", &settings).route("all", "", "backups");
        std::fs::write(folder.path().join("postroom.toml"), config.text(&program().plugins())).unwrap();
        let check = program().run(folder.path(), ["check"]).await;
        assert_eq!(check.code, Some(3), "{check:?}");
        assert!(check.stdout.contains(expected), "{root}: {check:?}");
    }

    let config = Config::new().destination("backups", "backup", "config = { root = \"data\" }");
    let gateway = start(config.route("all", "", "backups")).await;
    let shown = eventually("the plugin to be refused", async || {
        let shown = gateway.get("/api/v1/destinations/backups").await;
        (shown["state"] == "refused").then_some(shown)
    })
    .await;
    let detail = shown["detail"].as_str().unwrap();
    assert!(detail.contains("which is the gateway's own, lies in it"), "{detail}");
}
