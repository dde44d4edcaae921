//! A repository in `root`, beside the git of this machine.

use std::fs;

use super::*;

#[test]
fn a_version_is_a_commit_that_git_reads() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path().join("repository");
        let vault = vault(&client, &at, json!({ "message": "{name}: {summary}" })).await;
        let first = new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let second = new(keep(&vault, snapshot(1, ID, "Shop", "b")).await);
        git(&at, &["fsck", "--strict"]);
        assert_eq!(git(&at, &["status", "--porcelain", "--", "Postman Collections"]), "");
        assert_eq!(git(&at, &["symbolic-ref", "HEAD"]), "refs/heads/main");
        let subjects = git(&at, &["log", "--format=%s|%an|%ae"]);
        let subjects: Vec<&str> = subjects.lines().collect();
        assert_eq!(subjects[1], "Shop: first version|Postroom|postroom@localhost");
        assert_ne!(subjects[0], subjects[1]);
        let trailer =
            "--format=%(trailers:key=Postroom-Collection,key=Postroom-Event,valueonly,separator=%x20)";
        assert_eq!(git(&at, &["log", "-1", trailer]), format!("{ID} event-1-{ID}"));
        assert_eq!(git(&at, &["show", "HEAD:Postman Collections/Shop.json"]), body(ID, "Shop", "b"));
        let file = fs::read_to_string(at.join("Postman Collections/Shop.json")).unwrap();
        assert_eq!(file, body(ID, "Shop", "b"));

        assert_eq!(second.before.as_deref(), Some(first.id.as_str()));
        let versions = vault.versions(ID).await.unwrap();
        assert_eq!(versions, [first.clone(), second.clone()]);
        assert_eq!(vault.body(ID, &versions[0]).await.unwrap(), body(ID, "Shop", "a"));
        assert_eq!(vault.version(ID, None).await.unwrap(), second);
        assert_eq!(vault.version(ID, Some(&first.id)).await.unwrap(), first);
        assert_eq!(vault.find(&format!("123-{ID}")).await.unwrap(), ID);
        assert!(matches!(vault.find(OTHER).await, Err(Error::NoCollection(_))));
        let collections = vault.collections(&vault.keys().await.unwrap()).await.unwrap();
        assert_eq!((collections[0].versions, collections[0].newest.as_ref()), (2, Some(&second)));
        assert!(!vault.diff(ID, &first, &second).await.unwrap().is_empty());
        let verified = vault.verify(ID).await.unwrap();
        assert_eq!((verified.versions, verified.damaged.len()), (2, 0));
    });
}

#[test]
fn neither_the_same_event_nor_the_same_content_makes_a_second_commit() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let vault = vault(&client, root.path(), json!({ "bare": true })).await;
        let first = new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        for _ in 0..2 {
            let again = keep(&vault, snapshot(0, ID, "Shop", "a")).await;
            assert!(matches!(again, Kept::Again(ref version) if *version == first), "{again:?}");
        }
        let unchanged = keep(&vault, snapshot(1, ID, "Shop", "a")).await;
        assert!(matches!(unchanged, Kept::Unchanged(ref version) if *version == first), "{unchanged:?}");
        new(keep(&vault, snapshot(2, ID, "Shop", "b")).await);
        let again = keep(&vault, snapshot(0, ID, "Shop", "a")).await;
        assert!(matches!(again, Kept::Again(ref version) if *version == first), "{again:?}");
        assert_eq!(git(root.path(), &["rev-list", "--count", "main"]), "2");
    });
}

#[test]
fn what_a_person_did_to_a_file_is_history_too() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({})).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let file = at.join("Postman Collections/Shop.json");
        fs::write(&file, "spoilt").unwrap();
        git(at, &["commit", "-qam", "spoil"]);
        // The newest version says the same, but the branch does not.
        new(keep(&vault, snapshot(1, ID, "Shop", "a")).await);
        assert_eq!(fs::read_to_string(&file).unwrap(), body(ID, "Shop", "a"));
        assert_eq!(git(at, &["rev-list", "--count", "main"]), "3");

        // Work that is not committed stays.
        fs::write(&file, "in work").unwrap();
        new(keep(&vault, snapshot(2, ID, "Shop", "b")).await);
        assert_eq!(fs::read_to_string(&file).unwrap(), "in work");
        assert_eq!(git(at, &["status", "--porcelain"]), " M \"Postman Collections/Shop.json\"");
    });
}

#[test]
fn collections_of_one_name_have_files_of_their_own() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({ "directory": "" })).await;
        let mine = new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let other = new(keep(&vault, snapshot(1, OTHER, "SHOP", "a")).await);
        assert_eq!(mine.stored.file, "Shop.json");
        assert_eq!(other.stored.file, format!("SHOP-{OTHER}.json"));
        // A new name is a new file, and the old one is free.
        let renamed = new(keep(&vault, snapshot(2, ID, "Store: all", "a")).await);
        assert_eq!(renamed.stored.file, "Store_ all.json");
        let other = new(keep(&vault, snapshot(3, OTHER, "Shop", "b")).await);
        assert_eq!(other.stored.file, "Shop.json");
        assert_eq!(git(at, &["ls-files"]), "Shop.json\nStore_ all.json");
        assert_eq!(git(at, &["status", "--porcelain"]), "");
        let names: Vec<_> = vault.versions(ID).await.unwrap().into_iter().map(|it| it.stored.file).collect();
        assert_eq!(names, ["Shop.json", "Store_ all.json"]);
        git(at, &["fsck", "--strict"]);
    });
}

#[test]
fn a_file_of_somebody_else_stays_and_postmans_own_is_taken_over() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({})).await;
        let folder = at.join("Postman Collections");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("Notes.json"), "{}").unwrap();
        fs::write(folder.join("Shop.json"), body(ID, "Shop", "before")).unwrap();
        git(at, &["add", "."]);
        git(at, &["commit", "-qm", "Postman created Shop"]);
        let notes = new(keep(&vault, snapshot(0, OTHER, "Notes", "a")).await);
        assert_eq!(notes.stored.file, format!("Postman Collections/Notes-{OTHER}.json"));
        let shop = new(keep(&vault, snapshot(1, ID, "Shop", "a")).await);
        assert_eq!(shop.stored.file, "Postman Collections/Shop.json");
        assert_eq!(fs::read_to_string(folder.join("Notes.json")).unwrap(), "{}");
    });
}

#[test]
fn one_that_comes_late_is_kept_below_the_newest() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({})).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let newest = new(keep(&vault, snapshot(9, ID, "Shop", "c")).await);
        let late = new(keep(&vault, snapshot(5, ID, "Shop", "b")).await);
        let versions = vault.versions(ID).await.unwrap();
        assert_eq!(versions[1], late);
        assert_eq!(vault.body(ID, &late).await.unwrap(), body(ID, "Shop", "b"));
        assert_eq!(vault.version(ID, None).await.unwrap().id, newest.id);
        assert_eq!(git(at, &["show", "HEAD:Postman Collections/Shop.json"]), body(ID, "Shop", "c"));
        assert_eq!(git(at, &["status", "--porcelain"]), "");
        let again = keep(&vault, snapshot(5, ID, "Shop", "b")).await;
        assert!(matches!(again, Kept::Again(_)), "{again:?}");
        git(at, &["fsck", "--strict"]);
    });
}

#[test]
fn a_branch_is_made_when_it_is_missing() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        git(at, &["init", "-q", "-b", "trunk"]);
        fs::write(at.join("README"), "hello").unwrap();
        git(at, &["add", "."]);
        git(at, &["commit", "-qm", "first"]);
        let vault = vault(&client, at, json!({ "branch": "backups" })).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        assert_eq!(git(at, &["rev-list", "--count", "backups"]), "2");
        assert_eq!(git(at, &["rev-list", "--count", "trunk"]), "1");
        assert_eq!(git(at, &["status", "--porcelain"]), "");
        assert_eq!(git(at, &["show", "backups:README"]), "hello");
    });
}

#[test]
fn the_lock_of_a_killed_process_is_broken_and_one_that_is_held_is_not() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let vault = vault(&client, root.path(), json!({ "bare": true })).await;
        new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let lock = root.path().join("refs/heads/main.lock");
        fs::write(&lock, "").unwrap();
        let modified = fs::metadata(&lock).unwrap().modified().unwrap();
        let now = modified.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() * 1000 + 999;
        let refused = vault.keep(snapshot(1, ID, "Shop", "b"), now + 1_000).await;
        let failure = crate::plugin::failure(&refused.unwrap_err());
        assert!(matches!(failure, Failure::Retry { ref code, .. } if code == "locked"), "{failure:?}");
        let kept = vault.keep(snapshot(1, ID, "Shop", "b"), now + 61_000).await.unwrap();
        new(kept);
        assert!(!lock.exists());
    });
}

#[test]
fn files_that_were_left_behind_follow_at_the_next_start() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let one = vault(&client, at, json!({})).await;
        new(keep(&one, snapshot(0, ID, "Shop", "a")).await);
        // Killed after the branch was moved, or somebody held the index.
        let lock = at.join(".git/index.lock");
        fs::write(&lock, "").unwrap();
        new(keep(&one, snapshot(1, ID, "Store", "b")).await);
        drop(one);
        fs::remove_file(&lock).unwrap();
        let next = vault(&client, at, json!({})).await;
        assert_eq!(next.versions(ID).await.unwrap().len(), 2);
        assert_eq!(git(at, &["status", "--porcelain"]), "");
        assert_eq!(
            fs::read_to_string(at.join("Postman Collections/Store.json")).unwrap(),
            body(ID, "Store", "b")
        );
        assert!(!at.join("Postman Collections/Shop.json").exists());
    });
}

#[test]
fn damage_is_found_and_mended() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({ "bare": true })).await;
        let version = new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let blob = git(at, &["rev-parse", "main:Postman Collections/Shop.json"]);
        let file = at.join("objects").join(&blob[..2]).join(&blob[2..]);
        fs::remove_file(&file).unwrap();
        let found = vault.verify(ID).await.unwrap().damaged;
        assert_eq!(found[0].version.as_deref(), Some(version.id.as_str()));
        let other = vault.mend(ID, &version, Bytes::from_static(b"x"), NOW).await.unwrap();
        assert_eq!(other, Mending::OtherBody);
        let right = Bytes::from(body(ID, "Shop", "a"));
        assert_eq!(vault.mend(ID, &version, right.clone(), NOW).await.unwrap(), Mending::Done);
        assert_eq!(vault.mend(ID, &version, right, NOW).await.unwrap(), Mending::NotNeeded);
        git(at, &["fsck", "--strict"]);
    });
}

#[test]
fn pretty_files_have_a_line_for_each_value() {
    run(|client| async move {
        let root = tempfile::tempdir().unwrap();
        let at = root.path();
        let vault = vault(&client, at, json!({ "pretty": true })).await;
        let version = new(keep(&vault, snapshot(0, ID, "Shop", "a")).await);
        let kept = vault.body(ID, &version).await.unwrap();
        assert!(kept.iter().filter(|byte| **byte == b'\n').count() > 5);
        let as_it_came: Value = serde_json::from_str(&body(ID, "Shop", "a")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), as_it_came);
        assert!(matches!(keep(&vault, snapshot(1, ID, "Shop", "a")).await, Kept::Unchanged(_)));
    });
}
