//! A repository on a git server.

use std::{fs, path::PathBuf, sync::Arc};

use postroom_storage_servers::{Fault, GitServer};

use super::*;

/// `Basic` of `x-access-token:t0ken`.
const AUTHORIZATION: &str = "Basic eC1hY2Nlc3MtdG9rZW46dDBrZW4=";

/// A server with an empty repository, and a folder for copies.
struct Place {
    folder: tempfile::TempDir,
    server: GitServer,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("served/team.git");
        fs::create_dir_all(&repository).unwrap();
        git(&repository, &["init", "-q", "--bare", "-b", "trunk"]);
        git(&repository, &["config", "receive.fsckObjects", "true"]);
        let server = GitServer::start(folder.path().join("served"), Some(AUTHORIZATION)).await;
        Self { folder, server }
    }

    fn served(&self) -> PathBuf {
        self.folder.path().join("served/team.git")
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    async fn vault(&self, client: &reqwest::Client, more: Value) -> GitVault {
        let mut config = json!({ "url": self.server.url("team.git"), "token": true });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        vault(client, &self.root(), config).await
    }

    /// What the server has, as the git of this machine clones it.
    fn checkout(&self) -> tempfile::TempDir {
        let clone = tempfile::tempdir().unwrap();
        git(clone.path(), &["clone", "-q", self.served().to_str().unwrap(), "."]);
        git(clone.path(), &["fsck", "--strict"]);
        clone
    }

    /// Somebody else pushes a commit.
    fn person_pushes(&self) {
        let clone = self.checkout();
        let name = format!("note-{}", git(clone.path(), &["rev-list", "--count", "--all"]));
        fs::write(clone.path().join(&name), "by a person").unwrap();
        git(clone.path(), &["add", "."]);
        git(clone.path(), &["commit", "-qm", "by a person"]);
        git(clone.path(), &["push", "-q", "origin", "HEAD"]);
    }
}

/// The requests of those of an event that were kept, by git alone.
fn kept_events(served: &Path, branch: &str) -> Vec<String> {
    let format = "--format=%(trailers:key=Postroom-Event,valueonly,separator=)";
    let log = git(served, &["log", "--reverse", format, branch]);
    log.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[track_caller]
fn check_failure<T: std::fmt::Debug>(result: Result<T, Error>, kind: &str, says: &str) {
    let failure = crate::plugin::failure(&result.unwrap_err());
    let text = format!("{failure:?}");
    assert!(text.to_lowercase().contains(kind) && text.contains(says), "{text}");
    assert!(!text.contains("t0ken"), "{text}");
}

#[test]
fn versions_are_pushed_and_read_back_by_another_copy() {
    run(|client| async move {
        let place = Place::new().await;
        let one = place.vault(&client, json!({ "branch": "trunk" })).await;
        let first = new(keep(&one, snapshot(0, ID, "Shop", "a")).await);
        let second = new(keep(&one, snapshot(1, ID, "Shop", "b")).await);
        let clone = place.checkout();
        let file = fs::read_to_string(clone.path().join("Postman Collections/Shop.json")).unwrap();
        assert_eq!(file, body(ID, "Shop", "b"));

        // A second program with the same root, at the same time.
        let other = place.vault(&client, json!({})).await;
        assert_eq!(other.versions(ID).await.unwrap(), [first.clone(), second]);
        assert_eq!(other.body(ID, &first).await.unwrap(), body(ID, "Shop", "a"));
        assert!(matches!(keep(&other, snapshot(0, ID, "Shop", "a")).await, Kept::Again(_)));
        new(keep(&other, snapshot(2, ID, "Shop", "c")).await);
        assert_eq!(one.versions(ID).await.unwrap().len(), 3);
        assert_eq!(fs::read_dir(place.root()).unwrap().count(), 4);
    });
}

#[test]
fn the_default_branch_of_the_server_is_taken_and_a_missing_one_made() {
    run(|client| async move {
        let place = Place::new().await;
        place.person_pushes();
        let vault = place.vault(&client, json!({})).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        assert_eq!(kept_events(&place.served(), "trunk").len(), 1);
        let vault = place.vault(&client, json!({ "branch": "backups" })).await;
        new(keep(&vault, snapshot(1, ID, "Shop", "b")).await);
        assert_eq!(kept_events(&place.served(), "backups").len(), 2);
        assert_eq!(kept_events(&place.served(), "trunk").len(), 1);
    });
}

#[test]
fn a_branch_that_moves_before_the_push_loses_nothing() {
    run(|client| async move {
        let place = Arc::new(Place::new().await);
        let vault = place.vault(&client, json!({ "branch": "trunk" })).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        for (minute, path) in [(1, "service=git-receive-pack"), (2, "/git-receive-pack")] {
            let person = Arc::clone(&place);
            place.server.fail(path, Fault::First(Arc::new(move || person.person_pushes())));
            new(keep(&vault, snapshot(minute, ID, "Shop", &format!("r{minute}"))).await);
        }
        // And after it, before the branch is read back.
        let person = Arc::clone(&place);
        place.server.fail("/git-receive-pack", Fault::First(Arc::new(|| ())));
        place.server.fail("service=git-upload-pack", Fault::First(Arc::new(|| ())));
        place.server.fail("service=git-upload-pack", Fault::First(Arc::new(move || person.person_pushes())));
        new(keep(&vault, snapshot(3, ID, "Shop", "r3")).await);
        assert_eq!(kept_events(&place.served(), "trunk").len(), 4);
        assert_eq!(git(&place.served(), &["rev-list", "--count", "trunk"]), "7");
        assert_eq!(git(&place.served(), &["rev-list", "--count", "--min-parents=2", "trunk"]), "0");
        place.checkout();
    });
}

#[test]
fn two_that_push_at_once_lose_nothing() {
    run(|client| async move {
        let place = Place::new().await;
        let vaults = [
            place.vault(&client, json!({ "branch": "trunk" })).await,
            place.vault(&client, json!({ "branch": "trunk" })).await,
        ];
        let [one, two] = [(&vaults[0], ID), (&vaults[1], OTHER)].map(|(vault, id)| async move {
            for minute in 0..6 {
                let mut tries = 0;
                loop {
                    let given = snapshot(minute, id, "Shop", &format!("r{minute}"));
                    let now = given.received_unix_ms;
                    match vault.keep(given, now).await {
                        Ok(_) => break,
                        // What the gateway does with a retry.
                        Err(error) => assert!(matches!(error, Error::Unsteady) && tries < 5, "{error}"),
                    }
                    tries += 1;
                }
            }
        });
        postroom_sdk::tokio::join!(one, two);
        let mut events = kept_events(&place.served(), "trunk");
        assert_eq!(events.len(), 12);
        events.sort();
        events.dedup();
        assert_eq!(events.len(), 12);
        for id in [ID, OTHER] {
            let versions = vaults[0].versions(id).await.unwrap();
            assert_eq!(versions.len(), 6);
            assert!(vaults[0].verify(id).await.unwrap().damaged.is_empty());
        }
        assert_eq!(git(place.checkout().path(), &["ls-files"]).lines().count(), 2);
    });
}

#[test]
fn a_line_that_breaks_at_any_step_makes_no_second_commit() {
    run(|client| async move {
        let place = Place::new().await;
        let vault = place.vault(&client, json!({ "branch": "trunk" })).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let paths = ["service=git-upload-pack", "service=git-receive-pack", "/git-receive-pack"];
        let faults = [Fault::Before, Fault::After, Fault::Half, Fault::Answer(503, "busy")];
        let mut minute = 0;
        for path in paths {
            for fault in &faults {
                minute += 1;
                place.server.fail(path, fault.clone());
                let given = snapshot(minute, ID, "Shop", &format!("r{minute}"));
                let refused = vault.keep(given.clone(), given.received_unix_ms).await;
                let failure = crate::plugin::failure(&refused.unwrap_err());
                assert!(matches!(failure, Failure::Retry { .. }), "{path} {fault:?}: {failure:?}");
                // The next try, by a process that has been started anew.
                let next = place.vault(&client, json!({ "branch": "trunk" })).await;
                let kept = keep(&next, given).await;
                assert!(matches!(kept, Kept::New(_) | Kept::Again(_)), "{path} {fault:?}: {kept:?}");
            }
        }
        let events = kept_events(&place.served(), "trunk");
        let expected: Vec<String> = (0..=minute).map(|minute| format!("event-{minute}-{ID}")).collect();
        assert_eq!(events, expected);
    });
}

#[test]
fn a_damaged_copy_is_got_anew() {
    run(|client| async move {
        let place = Place::new().await;
        let config = || json!({ "branch": "trunk" });
        let first = place.vault(&client, config()).await;
        let version = new(keep(&first, snapshot(0, ID, "Shop", "a")).await);
        new(keep(&first, snapshot(1, ID, "Shop", "b")).await);
        let copy = first.0.folder.clone();
        drop(first);
        // What a power cut may leave: empty objects, locks, half a file.
        let mut emptied = 0;
        for folder in fs::read_dir(copy.join("objects")).unwrap() {
            for file in fs::read_dir(folder.unwrap().path()).unwrap() {
                let file = file.unwrap().path();
                fs::remove_file(&file).unwrap();
                fs::write(&file, "").unwrap();
                emptied += 1;
            }
        }
        assert!(emptied >= 8, "{emptied}");
        fs::write(copy.join("refs/heads/trunk.lock"), "").unwrap();
        let next = place.vault(&client, config()).await;
        assert_eq!(next.0.folder, copy);
        new(keep(&next, snapshot(2, ID, "Shop", "c")).await);
        assert_eq!(next.body(ID, &version).await.unwrap(), body(ID, "Shop", "a"));
        assert!(next.verify(ID).await.unwrap().damaged.is_empty());
        drop(next);
        fs::write(copy.join("HEAD"), "nonsense").unwrap();
        let next = place.vault(&client, config()).await;
        assert_eq!(next.versions(ID).await.unwrap().len(), 3);
    });
}

#[test]
fn a_history_that_somebody_wrote_anew_is_followed() {
    run(|client| async move {
        let place = Place::new().await;
        let vault = place.vault(&client, json!({ "branch": "trunk" })).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        new(keep(&vault, snapshot(1, ID, "Shop", "b")).await);
        git(&place.served(), &["update-ref", "refs/heads/trunk", "trunk~1"]);
        assert_eq!(vault.versions(ID).await.unwrap().len(), 1);
        // What was thrown away comes back with its event.
        new(keep(&vault, snapshot(1, ID, "Shop", "b")).await);
        assert_eq!(kept_events(&place.served(), "trunk").len(), 2);
    });
}

/// What `verify` says of a collection: how many versions there are, and which ones are gone at the server.
async fn gone(vault: &GitVault, id: &str) -> (usize, Vec<String>) {
    let verified = vault.verify(id).await.unwrap();
    let gone = verified.damaged.into_iter().map(|damage| {
        assert!(damage.what.contains("branch trunk does not have it any more"), "{damage:?}");
        damage.version.unwrap()
    });
    (verified.versions, gone.collect())
}

#[test]
fn what_the_server_lost_is_damage_until_it_is_back() {
    run(|client| async move {
        let place = Place::new().await;
        let config = || json!({ "branch": "trunk" });
        let vault = place.vault(&client, config()).await;
        let mut versions = Vec::new();
        for (minute, request) in ["a", "b", "c"].iter().enumerate() {
            versions.push(new(keep(&vault, snapshot(minute as u64, ID, "Shop", request)).await));
        }
        let other = new(keep(&vault, snapshot(3, OTHER, "Orders", "x")).await);
        assert_eq!(gone(&vault, ID).await, (3, vec![]));

        git(&place.served(), &["update-ref", "refs/heads/trunk", "trunk~3"]);
        let lost = vec![versions[1].id.clone(), versions[2].id.clone()];
        assert_eq!(gone(&vault, ID).await, (1, lost.clone()));
        // A collection of which nothing is left is not forgotten.
        let listed = vault.collections(&vault.keys().await.unwrap()).await.unwrap();
        let listed: Vec<_> = listed.iter().map(|it| (it.key.as_str(), it.versions)).collect();
        assert_eq!(listed, [(OTHER, 0), (ID, 1)], "in order");
        assert_eq!(vault.find(&format!("12345-{OTHER}")).await.unwrap(), OTHER);
        assert_eq!(gone(&vault, OTHER).await, (0, vec![other.id.clone()]));
        assert!(vault.versions(OTHER).await.unwrap().is_empty());

        // Neither the next commit nor another process forgets it.
        versions.push(new(keep(&vault, snapshot(4, ID, "Shop", "d")).await));
        drop(vault);
        let vault = place.vault(&client, config()).await;
        assert_eq!(gone(&vault, ID).await, (2, lost.clone()));
        // Its event brings a version back, and whoever still has the history brings all of it.
        new(keep(&vault, snapshot(1, ID, "Shop", "b")).await);
        assert_eq!(gone(&vault, ID).await, (3, vec![versions[2].id.clone()]));
        // A branch of another name lost nothing.
        let backups = place.vault(&client, json!({ "branch": "trunk/more" })).await;
        assert!(backups.verify(ID).await.unwrap().damaged.is_empty());

        git(&place.served(), &["update-ref", "-d", "refs/heads/trunk"]);
        assert_eq!(gone(&vault, ID).await, (0, versions.into_iter().map(|version| version.id).collect()));
    });
}

#[test]
fn a_history_that_was_put_on_other_commits_has_lost_nothing() {
    run(|client| async move {
        let place = Place::new().await;
        let vault = place.vault(&client, json!({ "branch": "trunk" })).await;
        place.person_pushes();
        for (minute, request) in ["a", "b"].iter().enumerate() {
            new(keep(&vault, snapshot(minute as u64, ID, "Shop", request)).await);
        }
        let clone = place.checkout();
        git(clone.path(), &["rebase", "-q", "--root", "--force-rebase"]);
        git(clone.path(), &["commit", "-q", "--allow-empty", "-m", "by a person"]);
        git(clone.path(), &["push", "-q", "--force", "origin", "HEAD"]);
        assert_eq!(gone(&vault, ID).await, (2, vec![]));
    });
}

#[test]
fn a_long_history_is_fetched_listed_and_continued() {
    const VERSIONS: u64 = 10_000;
    run(|client| async move {
        let place = Place::new().await;
        let mut commands = String::new();
        for minute in 0..VERSIONS {
            let id = if minute % 2 == 0 { ID } else { OTHER };
            let given = snapshot(minute, id, id, &format!("r{minute}"));
            let text = String::from_utf8(given.bytes.to_vec()).unwrap();
            let message = format!(
                "update\n\nPostroom-Collection: {id}\nPostroom-Id: {id}\nPostroom-Sha256: {}\nPostroom-Event: {}\n\
                 Postroom-Received: {}\nPostroom-File: {id}.json\nPostroom-Bytes: {}\n",
                sha256(given.bytes.clone()).await.unwrap(),
                given.event_id,
                names::rfc3339(given.received_unix_ms),
                text.len()
            );
            commands += &format!(
                "commit refs/heads/trunk\ncommitter A <a@b> {} +0000\ndata {}\n{message}\nM 100644 inline {id}.json\n\
                 data {}\n{text}\n",
                NOW / 1000 + minute,
                message.len(),
                text.len()
            );
        }
        let script = place.folder.path().join("script");
        fs::write(&script, commands).unwrap();
        let script = fs::File::open(script).unwrap();
        let mut import = Command::new("git");
        import.arg("-C").arg(place.served()).args(["fast-import", "--quiet"]).stdin(script);
        assert!(import.status().unwrap().success());

        let begun = std::time::Instant::now();
        let vault = place.vault(&client, json!({ "directory": "", "file": "{id}.json" })).await;
        assert_eq!(vault.keys().await.unwrap().len(), 2);
        eprintln!("fetched and walked in {:?}", begun.elapsed());
        let begun = std::time::Instant::now();
        let versions = vault.versions(ID).await.unwrap();
        eprintln!("{} versions listed in {:?}", versions.len(), begun.elapsed());
        assert_eq!(versions.len() as u64, VERSIONS / 2);
        assert_eq!(vault.body(ID, &versions[0]).await.unwrap(), body(ID, ID, "r0"));
        let begun = std::time::Instant::now();
        let first = snapshot(0, ID, ID, "r0");
        assert!(matches!(keep(&vault, first).await, Kept::Again(_)));
        new(keep(&vault, snapshot(VERSIONS, ID, ID, "last")).await);
        eprintln!("two deliveries in {:?}", begun.elapsed());
    });
}

#[test]
fn what_is_wrong_is_said() {
    run(|client| async move {
        let place = Place::new().await;
        let vault = place.vault(&client, json!({ "branch": "trunk" })).await;
        let given = || snapshot(0, ID, "Shop", "a");
        let check = async |path, fault, kind: &str, says: &str| {
            place.server.fail(path, fault);
            check_failure(vault.keep(given(), NOW).await, kind, says);
        };
        check("git-upload-pack", Fault::Answer(401, "bad t0ken"), "misconfigured", "`git.token`").await;
        check("git-receive-pack", Fault::Answer(403, "read only"), "misconfigured", "read only").await;
        check("git-upload-pack", Fault::Answer(404, ""), "misconfigured", "`git.url`").await;
        check("git-upload-pack", Fault::Answer(200, "<html>"), "misconfigured", "not what a git server says")
            .await;
        check("git-upload-pack", Fault::Answer(301, ""), "misconfigured", "moved").await;
        check("/git-receive-pack", Fault::Answer(429, ""), "ratelimited", "pause").await;
        check("/git-receive-pack", Fault::Answer(413, ""), "storage_full", "413").await;

        let hook = place.served().join("hooks/pre-receive");
        fs::create_dir_all(hook.parent().unwrap()).unwrap();
        fs::write(&hook, "#!/bin/sh\nexit 1\n").unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).unwrap();
        check_failure(vault.keep(given(), NOW).await, "misconfigured", "declined");
        fs::remove_file(&hook).unwrap();
        new(keep(&vault, given()).await);
        assert!(matches!(keep(&vault, given()).await, Kept::Again(_)));
    });
}
