//! Collections that Postman backs up become commits, with the plugin in its sandbox.

use std::{path::Path, process::Command};

use postroom_tests::harness::{Config, body};
use serde_json::json;

use crate::support::start;

/// The git of this machine.
#[track_caller]
fn git(folder: &Path, arguments: &[&str]) -> String {
    let done = Command::new("git").arg("-C").arg(folder).args(arguments).output().unwrap();
    assert!(done.status.success(), "git {arguments:?}: {done:?}");
    String::from_utf8(done.stdout).unwrap()
}

#[tokio::test]
async fn backups_are_commits_that_git_reads() {
    let config = Config::new()
        .destination("backups", "backup", "config = { storage = \"git\", root = \"collections\" }")
        .route("backups", "kinds = [\"collection_backup\"]", "backups");
    let mut gateway = start(config).await;
    let first = body::collection_backup("c3ec8bf7", "Orders");
    let second = first.replace("\"item\":[]", "\"item\":[{\"name\":\"Ping\"}]");
    let mut events = Vec::new();
    for body in [&first, &first] {
        events.push(gateway.accept(body.clone()).await);
    }
    gateway.settled().await;
    // What the first process made, the second opens.
    gateway.kill().await;
    gateway.restart().await;
    events.push(gateway.accept(second.clone()).await);
    for event in &events {
        gateway.delivery_in_state(event, "backups", "delivered").await;
    }

    let root = gateway.folder().join("collections");
    git(&root, &["fsck", "--strict"]);
    let log = git(&root, &["log", "--format=%B"]);
    assert_eq!(log.matches("Postman updated Orders").count(), 2, "{log}");
    assert!(log.contains(&format!("Postroom-Event: {}", events[2])), "{log}");
    assert_eq!(git(&root, &["status", "--porcelain", "--", "Postman Collections"]), "");
    let kept = git(&root, &["show", "HEAD:Postman Collections/Orders.json"]);
    assert_eq!(format!("{{\"collection\":{kept}}}"), second);

    let shown =
        gateway.act("/api/v1/destinations/backups/actions/show", json!({ "collection": "c3ec8bf7" })).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    assert_eq!(shown.json()["output"]["body"], kept);
}
