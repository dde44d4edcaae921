//! Backups of the first version of this plugin.

use sha2::{Digest, Sha256};

use super::*;
use crate::name::hex;

fn put(memory: &Memory, folder: &str, at: u64, body: &str) -> String {
    let id = names::version_id(at, &hex(&Sha256::digest(body)));
    memory.files().insert(format!("{folder}/{id}.json"), Bytes::copy_from_slice(body.as_bytes()));
    id
}

#[test]
fn old_versions_are_taken_in_where_they_are() {
    let (memory, vault) = vault();
    let folder = format!("Shop-{ID}");
    let first = put(&memory, &folder, RECEIVED, &body("a", 1));
    put(&memory, &folder, RECEIVED + 1, &body("b", 1));
    memory.files().insert(format!("{folder}/zzz notes.json"), Bytes::from_static(b"mine"));
    memory.files().insert("README".to_owned(), Bytes::from_static(b"mine"));
    let before = memory.files().clone();

    // The newest of them is what the next backup is compared with.
    assert!(matches!(keep(&vault, &body("b", 9), RECEIVED + 2), Kept::Unchanged(_)));
    keep_new(&vault, &body("c", 1), RECEIVED + 3);
    assert_eq!(bodies(&memory), [body("a", 1), body("b", 1), body("c", 1)]);
    assert!(before.iter().all(|(path, bytes)| memory.files()[path] == *bytes));
    // An old event again is the old version.
    assert!(matches!(keep(&vault, &body("a", 1), RECEIVED), Kept::Again(version) if version.id == first));
    assert_eq!(run(vault.verify(ID)).unwrap().damaged, []);
}

#[test]
fn collections_that_nothing_new_came_of_are_listed_too() {
    let (memory, vault) = vault();
    put(&memory, &format!("Old name-{ID}"), RECEIVED, &body("a", 1));
    put(&memory, "Shop-7", RECEIVED, r#"{"name":"Shop","id":"7"}"#);
    put(&memory, "Shop-1-7", RECEIVED, r#"{"name":"Shop","id":"1-7"}"#);
    put(&memory, "Shop-unknown", RECEIVED, r#"{"info":{"name":"Shop"}}"#);
    memory.files().insert("a-b/c.json".to_owned(), Bytes::from_static(b"mine"));
    let keys = run(vault.keys()).unwrap();
    let unknown = names::collection_key(Some("Shop"), None);
    assert_eq!(keys, ["1-7", "7", ID, &unknown]);
    assert!(run(vault.collections(&keys)).unwrap().iter().all(|it| it.versions == 1));
    let nameless = Snapshot { id: None, ..snapshot(r#"{"info":{"name":"Shop"}}"#, RECEIVED + 1) };
    assert!(matches!(run(vault.keep(nameless, RECEIVED + 1)).unwrap(), Kept::Unchanged(_)));
}

#[test]
fn a_file_that_was_changed_by_hand_is_no_version() {
    let (memory, vault) = vault();
    let folder = format!("Shop-{ID}");
    let id = put(&memory, &folder, RECEIVED, &body("a", 1));
    memory.files().insert(format!("{folder}/{id}.json"), Bytes::from_static(b"mine"));
    keep_new(&vault, &body("a", 1), RECEIVED + 1);
    assert_eq!(bodies(&memory), [body("a", 1)]);
    assert_eq!(memory.files()[&format!("{folder}/{id}.json")], "mine");
}

#[test]
fn many_are_taken_in_as_few_files() {
    let (memory, vault) = vault();
    for n in 0..600 {
        put(&memory, &format!("Shop-{ID}"), RECEIVED + n, &body(&format!("r{n}"), 1));
    }
    assert_eq!(run(vault.versions(ID)).unwrap().len(), 600);
    assert_eq!(memory.paths(&format!("collections/{ID}/versions/")).len(), 3);
    // Another process does not do it again.
    assert_eq!(run(reopened(&memory).versions(ID)).unwrap().len(), 600);
    assert_eq!(memory.paths(&format!("collections/{ID}/versions/")).len(), 3);
    let retention = Retention { last: 1, ..Retention::default() };
    run(vault.prune(ID, Some(&retention), RECEIVED + DAY, false)).unwrap();
    run(vault.prune(ID, Some(&retention), RECEIVED + 2 * DAY, false)).unwrap();
    assert_eq!(memory.paths("Shop-").len(), 1);
}
