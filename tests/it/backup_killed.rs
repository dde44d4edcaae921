//! SIGKILL to the plugin of backups alone, while it writes. The gateway stays, and delivers again.

use std::{collections::BTreeMap, fs, time::Instant};

use postroom_tests::harness::{Config, PATIENCE, TestGateway, body, eventually};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use crate::{
    backup::{act, files_in_motion},
    support::{retry, start},
};

const COLLECTIONS: [&str; 3] = ["c-0", "c-1", "c-2"];
const BODIES_A_ROUND: usize = 3;
const ROUNDS: usize = 16;
/// After how many changes of its folder the process dies at most; a round makes more than twice as many.
const MOMENTS: usize = 8;

/// The plugin's process, when there is one.
async fn pid(gateway: &TestGateway) -> i32 {
    eventually("the plugin to be ready", async || {
        let shown = gateway.get("/api/v1/destinations/backups").await;
        let pid = shown["process"]["pid"].as_i64().filter(|_| shown["state"] == "ready")?;
        i32::try_from(pid).ok()
    })
    .await
}

#[tokio::test]
async fn no_version_is_lost_and_none_is_half_when_the_plugin_alone_dies() {
    let settings = format!("config = {{ root = \"copies\" }}\n{}", retry(20, "10ms"));
    let config = Config::new().destination("backups", "backup", &settings);
    let gateway = start(config.route("backups", "kinds = [\"collection_backup\"]", "backups")).await;
    let folder = gateway.folder().join("copies");
    let mut sent: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for round in 0..ROUNDS {
        let pid = Pid::from_raw(pid(&gateway).await).unwrap();
        let (watched, mut known) = (folder.clone(), files_in_motion(&folder));
        let (enough, mut changes) = (round % MOMENTS, 0);
        let killing = spawn_blocking(move || {
            let begun = Instant::now();
            loop {
                // Between two steps of a write there is less time than a timer can wait.
                std::thread::yield_now();
                let files = files_in_motion(&watched);
                // Several may have come between two looks.
                changes += files.abs_diff(known);
                known = files;
                if changes > enough {
                    break;
                }
                assert!(begun.elapsed() < PATIENCE, "the plugin made {changes} changes and no more");
            }
            kill_process(pid, Signal::KILL).unwrap();
        });
        for n in 0..BODIES_A_ROUND {
            for id in COLLECTIONS {
                let request = format!("\"item\":[{{\"name\":\"{round}-{n} {}\"}}]", "x".repeat(n * 20_000));
                let body = body::collection_backup(id, "Orders").replace("\"item\":[]", &request);
                gateway.accept(body.clone()).await;
                sent.entry(id).or_default().push(body);
            }
        }
        killing.await.unwrap();
        // By itself it starts again after a second, which is waited for now and then.
        if round % 6 != 0 {
            gateway.done("/api/v1/destinations/backups/reload", Value::Null).await;
        }
        gateway.settled().await;
    }

    let delivered = gateway.list("/api/v1/deliveries?state=delivered").await;
    assert_eq!(delivered.len(), ROUNDS * BODIES_A_ROUND * COLLECTIONS.len(), "none is dead");
    let again = delivered.iter().filter(|delivery| delivery["attempts_made"].as_u64() > Some(1)).count();
    assert!(again >= ROUNDS / 2, "only {again} deliveries were broken off by {ROUNDS} ends of the plugin");
    let verified = act(&gateway, "verify", json!({})).await;
    assert_eq!((&verified["ok"], &verified["collections"]), (&json!(true), &json!(COLLECTIONS.len())));
    for (id, bodies) in sent {
        let versions = act(&gateway, "versions", json!({ "collection": id, "limit": 1000 })).await;
        let mut kept = Vec::new();
        for version in versions["versions"].as_array().unwrap().iter().rev() {
            let shown = act(&gateway, "show", json!({ "collection": id, "version": version["id"] })).await;
            kept.push(format!("{{\"collection\":{}}}", shown["body"].as_str().unwrap()));
        }
        assert!(kept == bodies, "{id}: {} versions of {}", kept.len(), bodies.len());
        let copy = fs::read_to_string(folder.join(format!("latest/Orders-{id}.json"))).unwrap();
        assert!(Some(&format!("{{\"collection\":{copy}}}")) == bodies.last(), "{id}: the copy is another");
    }
}
