//! Collections that Postman backs up are kept, every version of them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use postroom_tests::{
    doubles::{Double, Receiver},
    harness::{Config, TestGateway, body, eventually},
};
use serde_json::{Value, json};

use crate::support::start;

/// Every file under `folder`, in any depth.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

async fn gateway_with_backups() -> TestGateway {
    let route = "kinds = [\"collection_backup\"]";
    start(Config::new().backup("backups", "copies").route("backups", route, "backups")).await
}

/// The bodies that are kept, one file for each.
fn bodies(gateway: &TestGateway) -> Vec<PathBuf> {
    let mut files = files(&gateway.folder().join("copies"));
    files.retain(|file| file.parent().is_some_and(|folder| folder.ends_with("objects")));
    files
}

pub(crate) async fn act(gateway: &TestGateway, action: &str, input: Value) -> Value {
    let answer = gateway.act(&format!("/api/v1/destinations/backups/actions/{action}"), input).await;
    assert_eq!(answer.status, 200, "{action}: {}", answer.text());
    answer.json()["output"].clone()
}

#[tokio::test]
async fn a_collection_is_kept_and_has_a_copy_byte_for_byte() {
    let gateway = gateway_with_backups().await;
    let collection =
        "{ \"info\":\t{\"name\": \"Größe / 大小\", \"_postman_id\": \"c3ec8bf7\"},\r\n \"n\": 1.00 }";
    let event = gateway.accept(format!("{{\"collection\":{collection}}}")).await;
    let delivery = gateway.delivery_in_state(&event, "backups", "delivered").await;
    let record = &delivery["attempts"][0]["record"];
    let folder = gateway.folder().join("copies");
    let copy = folder.join(record["copy"].as_str().unwrap());
    assert_eq!(fs::read_to_string(&copy).unwrap(), collection);
    assert_eq!(copy, folder.join("latest/Größe _ 大小-c3ec8bf7.json"));
    assert_eq!(bodies(&gateway), [folder.join(record["file"].as_str().unwrap())]);
    assert_eq!(record["bytes"].as_u64().unwrap(), collection.len() as u64);

    let shown = act(&gateway, "show", json!({ "collection": "c3ec8bf7" })).await;
    assert_eq!((&shown["body"], &shown["version"]["event_id"]), (&json!(collection), &json!(event)));
}

#[tokio::test]
async fn an_unchanged_collection_is_not_written_twice() {
    let gateway = gateway_with_backups().await;
    let first = body::collection_backup("c3ec8bf7", "Orders");
    let changed = first.replace("\"item\":[]", "\"item\":[{\"name\":\"Ping\"}]");
    for body in [&first, &first, &changed, &changed] {
        gateway.accept(body.clone()).await;
    }
    gateway.settled().await;
    assert_eq!(gateway.list("/api/v1/deliveries?state=delivered").await.len(), 4);
    assert_eq!(bodies(&gateway).len(), 2);
    let versions = act(&gateway, "versions", json!({ "collection": "c3ec8bf7" })).await;
    let seen: Vec<&Value> = versions["versions"].as_array().unwrap().iter().map(|it| &it["seen"]).collect();
    assert_eq!(seen, [1, 1]);
}

#[tokio::test]
async fn a_change_goes_where_routes_send_it() {
    let target = Double::start(Receiver);
    let config = Config::new()
        .destination("backups", "backup", "config = { root = \"copies\" }\nemit = true")
        .forward("target", &target.url("/"), "")
        .route("backups", "kinds = [\"collection_backup\"]", "backups")
        .route("changes", "kinds = [\"backup_changed\"]", "target");
    let gateway = start(config).await;
    let first = body::collection_backup("c3ec8bf7", "Orders");
    gateway.accept(first.clone()).await;
    gateway.accept(first.replace("\"item\":[]", "\"item\":[{\"name\":\"Ping\"}]")).await;
    target.at_least(1).await;
    gateway.settled().await;
    let taken = target.taken();
    let [change] = &taken[..] else { panic!("{taken:?}") };
    let change: Value = serde_json::from_slice(&change.body).unwrap();
    assert_eq!(change["collection"], json!({ "id": "c3ec8bf7", "name": "Orders" }));
    assert!(change["markdown"].as_str().unwrap().contains("Ping"), "{change}");
}

/// The gateway and its plugins die at moments that nobody chose.
#[tokio::test]
async fn no_version_is_lost_and_none_is_half_when_everything_dies() {
    const COLLECTIONS: usize = 3;
    let mut gateway = gateway_with_backups().await;
    let mut sent: Vec<(String, Vec<String>)> =
        (0..COLLECTIONS).map(|n| (format!("c-{n}"), Vec::new())).collect();
    for round in 0..8 {
        let before = files_in_motion(&gateway.folder().join("copies"));
        for n in 0..5 {
            for (id, bodies) in &mut sent {
                let request = format!("\"item\":[{{\"name\":\"{round}-{n} {}\"}}]", "x".repeat(n * 5000));
                let body = body::collection_backup(id, "Orders").replace("\"item\":[]", &request);
                gateway.accept(body.clone()).await;
                bodies.push(body);
            }
        }
        // As many files as it has by chance when they are counted: anywhere between two steps of a write.
        let enough = before + round * 3;
        eventually("some of it to be written", async || {
            let written = files_in_motion(&gateway.folder().join("copies"));
            (written > enough).then_some(())
        })
        .await;
        gateway.kill().await;
        gateway.restart().await;
    }
    gateway.settled().await;
    let delivered = gateway.list("/api/v1/deliveries?state=delivered").await.len();
    assert_eq!(delivered, sent.iter().map(|(_, bodies)| bodies.len()).sum::<usize>());

    let verified = act(&gateway, "verify", json!({})).await;
    assert_eq!(
        (&verified["ok"], &verified["collections"]),
        (&json!(true), &json!(COLLECTIONS)),
        "{verified}"
    );
    for (id, bodies) in sent {
        let versions = act(&gateway, "versions", json!({ "collection": id, "limit": 1000 })).await;
        let mut kept = Vec::new();
        for version in versions["versions"].as_array().unwrap().iter().rev() {
            let shown = act(&gateway, "show", json!({ "collection": id, "version": version["id"] })).await;
            kept.push(format!("{{\"collection\":{}}}", shown["body"].as_str().unwrap()));
        }
        assert!(kept == bodies, "{id}: {} versions of {}", kept.len(), bodies.len());
    }
}

/// How many files there are, while others are written, renamed and removed.
pub(crate) fn files_in_motion(folder: &Path) -> usize {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| if entry.path().is_dir() { files_in_motion(&entry.path()) } else { 1 }).sum()
}

#[tokio::test]
async fn a_hostile_name_stays_inside_the_root() {
    let gateway = gateway_with_backups().await;
    for name in ["../../../escaped", "/etc/escaped", "..", "a\0b", "", "C:\\escaped", &"ü".repeat(1000)] {
        gateway.accept(body::collection_backup("../..", name)).await;
        gateway.accept(body::collection_backup(name, name)).await;
    }
    gateway.settled().await;
    assert_eq!(gateway.list("/api/v1/deliveries?state=delivered").await.len(), 14);
    let known = ["copies", "data", "postroom.toml"];
    for entry in fs::read_dir(gateway.folder()).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(known.iter().any(|known| name == *known), "{} escaped from the root", name.display());
    }
}
