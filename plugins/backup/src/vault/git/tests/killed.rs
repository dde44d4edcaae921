//! Processes that are killed while they keep.

use std::{
    env,
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use super::*;

/// Names the folder to the process that is to be killed, and where its events begin.
const ROOT: &str = "POSTROOM_TEST_KILLED_ROOT";
const BEGIN: &str = "POSTROOM_TEST_KILLED_BEGIN";
const TEST: &str = "vault::git::tests::killed::what_was_told_outlives_any_kill";
/// Any lock that a process left is old by then.
const LATER: u64 = NOW + 1_000 * 24 * 60 * 60 * 1000;

fn keep_for_ever(root: &Path, begin: u64) {
    run(|client| async move {
        let vault = vault(&client, root, json!({})).await;
        for minute in begin.. {
            let given = snapshot(minute, ID, "Shop", &format!("r{minute}"));
            vault.keep(given, LATER).await.unwrap();
            println!("\nkept {minute}");
        }
    });
}

#[test]
fn what_was_told_outlives_any_kill() {
    if let (Ok(root), Ok(begin)) = (env::var(ROOT), env::var(BEGIN)) {
        return keep_for_ever(Path::new(&root), begin.parse().unwrap());
    }
    let root = tempfile::tempdir().unwrap();
    let mut told = Vec::new();
    for round in 0..8 {
        let begin = told.last().map_or(0, |last| last + 1);
        let mut child = Command::new(env::current_exe().unwrap())
            .args([TEST, "--exact", "--nocapture", "--test-threads=1"])
            .env(ROOT, root.path())
            .env(BEGIN, begin.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let kept = lines.filter_map(|line| line.unwrap().strip_prefix("kept ")?.parse::<u64>().ok());
        told.extend(kept.take(1 + round % 4));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told.len() as u64, told.last().unwrap() + 1, "no process gave up");
        git(root.path(), &["fsck", "--strict"]);
    }
    run(|client| async move {
        let vault = vault(&client, root.path(), json!({})).await;
        let versions = vault.versions(ID).await.unwrap();
        for minute in told {
            let event = format!("event-{minute}-{ID}");
            assert_eq!(versions.iter().filter(|version| version.event_id == event).count(), 1, "{event}");
        }
        assert!(vault.verify(ID).await.unwrap().damaged.is_empty());
        new(vault.keep(snapshot(1_000_000, ID, "Shop", "last"), LATER).await.unwrap());
        git(root.path(), &["fsck", "--strict"]);
        assert_eq!(git(root.path(), &["status", "--porcelain", "--", "Postman Collections"]), "");
    });
}
