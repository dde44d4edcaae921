//! Collections that Postman backs up become files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use postroom_tests::harness::{Config, TestGateway, body};

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

#[tokio::test]
async fn a_collection_becomes_a_file_byte_for_byte() {
    let gateway = gateway_with_backups().await;
    let collection =
        "{ \"info\":\t{\"name\": \"Größe / 大小\", \"_postman_id\": \"c3ec8bf7\"},\r\n \"n\": 1.00 }";
    let event = gateway.accept(format!("{{\"collection\":{collection}}}")).await;
    let delivery = gateway.delivery_in_state(&event, "backups", "delivered").await;
    let files = files(&gateway.folder().join("copies"));
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(fs::read_to_string(&files[0]).unwrap(), collection);

    let record = &delivery["attempts"][0]["record"];
    let folder = gateway.folder().join("copies");
    assert_eq!(folder.join(record["file"].as_str().unwrap()), files[0], "{record}");
    assert_eq!(record["bytes"].as_u64().unwrap(), collection.len() as u64);
    let parent = files[0].parent().unwrap().file_name().unwrap().to_str().unwrap();
    assert!(parent.contains("Größe") && parent.ends_with("-c3ec8bf7"), "{parent}");
}

#[tokio::test]
async fn an_unchanged_collection_is_not_written_twice() {
    let gateway = gateway_with_backups().await;
    let first = body::collection_backup("c3ec8bf7", "Orders");
    let changed = first.replace("\"item\":[]", "\"item\":[{}]");
    for body in [&first, &first, &changed, &changed] {
        gateway.accept(body.clone()).await;
    }
    gateway.settled().await;
    assert_eq!(gateway.list("/api/v1/deliveries?state=delivered").await.len(), 4);
    let files = files(&gateway.folder().join("copies"));
    assert_eq!(files.len(), 2, "{files:?}");
    assert_eq!(files[0].parent(), files[1].parent());
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
