mod flat;
mod model;
mod old_layout;

use postroom_sdk::{Bytes, tokio};

use super::*;
use crate::{
    retention::Retention,
    vault::{Fresh, Kept, Snapshot, records::Seen, shelf::memory::Memory},
};

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const RECEIVED: u64 = 1_795_289_807_042;
const MINUTE: u64 = 60 * 1000;
const DAY: u64 = 24 * 60 * MINUTE;

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn settings() -> Settings {
    Settings {
        coding: Coding { compress: true, ..Coding::default() },
        path: Template::parse("latest/{name}-{id}.json").unwrap(),
        store_unchanged: false,
        scan: Scan::Warn,
        packing: Packing::default(),
    }
}

fn vault() -> (Memory, Objects) {
    vault_with(settings())
}

fn vault_with(settings: Settings) -> (Memory, Objects) {
    let memory = Memory::default();
    (memory.clone(), Objects::new(Shelf::Memory(memory), settings))
}

/// The same files in another process, which remembers nothing.
fn reopened(memory: &Memory) -> Objects {
    Objects::new(Shelf::Memory(memory.clone()), settings())
}

fn snapshot(body: &str, received_unix_ms: u64) -> Snapshot {
    Snapshot {
        bytes: Bytes::copy_from_slice(body.as_bytes()),
        event_id: format!("event-{received_unix_ms}"),
        received_unix_ms,
        name: Some("Shop".to_owned()),
        id: Some(ID.to_owned()),
    }
}

/// A collection with one request, and with an id that Postman makes anew now and then.
fn body(request: &str, generated: u32) -> String {
    format!(
        r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"item":[{{"name":"{request}","id":"g{generated}"}}]}}"#
    )
}

fn keep(vault: &Objects, body: &str, received_unix_ms: u64) -> Kept {
    run(vault.keep(snapshot(body, received_unix_ms), received_unix_ms)).unwrap()
}

#[track_caller]
fn keep_new(vault: &Objects, body: &str, received_unix_ms: u64) -> Version {
    match keep(vault, body, received_unix_ms) {
        Kept::New(fresh) => fresh.version,
        kept => panic!("{kept:?}"),
    }
}

/// The bodies of all versions that a process sees which remembers nothing, the oldest first.
fn bodies(memory: &Memory) -> Vec<String> {
    let vault = reopened(memory);
    let bodies = async {
        let mut bodies = Vec::new();
        for version in vault.versions(ID).await? {
            bodies.push(String::from_utf8(vault.body(ID, &version).await?.to_vec()).unwrap());
        }
        Ok::<_, Error>(bodies)
    };
    run(bodies).unwrap()
}

/// Changes a file as a broken disk would.
fn damage(memory: &Memory, path: &str) {
    let mut files = memory.files();
    let mut bytes = files[path].to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    files.insert(path.to_owned(), bytes.into());
}

#[test]
fn a_snapshot_comes_back_byte_for_byte() {
    let (memory, vault) = vault();
    let odd = "\u{feff}{\r\n \"info\" :{\"name\":\" Käse \"} , \"x\":1.50 }";
    let version = keep_new(&vault, odd, RECEIVED);
    assert_eq!(bodies(&memory), [odd]);
    assert!(version.id.starts_with("2026-11-21T19-36-47.042Z-"), "{}", version.id);
    assert_eq!(version.bytes, odd.len() as u64);
    assert!(version.stored.file.starts_with(&format!("collections/{ID}/objects/{}", version.sha256)));
    let copies = memory.paths("latest/");
    assert_eq!(copies, [format!("latest/Shop-{ID}.json")]);
    assert_eq!(memory.files()[&copies[0]], odd.as_bytes());
}

#[test]
fn what_is_no_json_is_kept_too() {
    let (memory, vault) = vault();
    let version = keep_new(&vault, "{\"collection\":", RECEIVED);
    assert_eq!((version.canonical, version.format.as_str()), (None, "unknown"));
    assert_eq!(bodies(&memory), ["{\"collection\":"]);
}

#[test]
fn the_same_event_again_is_the_same_version() {
    let (memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    keep_new(&vault, &body("b", 1), RECEIVED + MINUTE);
    let files = memory.files().len();
    let Kept::Again(again) = keep(&vault, &body("a", 1), RECEIVED) else { panic!("not again") };
    assert_eq!((again.id, memory.files().len()), (first.id, files));
    // The newest copy stays the newest.
    let copy = memory.files()[&format!("latest/Shop-{ID}.json")].clone();
    assert_eq!(copy, body("b", 1).as_bytes());
}

#[test]
fn what_differs_only_in_generated_ids_is_seen_and_not_kept() {
    let (memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    for minute in 1..4 {
        let Kept::Unchanged(same) = keep(&vault, &body("a", 7), RECEIVED + minute * MINUTE) else {
            panic!("kept")
        };
        assert_eq!(same.id, first.id);
    }
    // An event that comes again is no fourth time.
    keep(&vault, &body("a", 7), RECEIVED + MINUTE);
    let versions = run(reopened(&memory).versions(ID)).unwrap();
    assert_eq!(versions.len(), 1);
    assert_eq!((versions[0].seen, versions[0].seen_unix_ms), (3, RECEIVED + 3 * MINUTE));
    let seen = memory.paths(&format!("collections/{ID}/versions/"));
    let seen = seen.iter().find(|path| path.ends_with(".seen.json")).unwrap();
    let seen: Seen = serde_json::from_slice(&memory.files()[seen]).unwrap();
    assert_eq!((seen.version, seen.event_id), (first.id, format!("event-{}", RECEIVED + MINUTE)));
}

#[test]
fn store_unchanged_keeps_what_differs_in_generated_ids_and_not_what_is_equal() {
    let (memory, vault) = vault_with(Settings { store_unchanged: true, ..settings() });
    keep_new(&vault, &body("a", 1), RECEIVED);
    keep_new(&vault, &body("a", 2), RECEIVED + 1);
    assert!(matches!(keep(&vault, &body("a", 2), RECEIVED + 2), Kept::Unchanged(_)));
    assert_eq!(bodies(&memory), [body("a", 1), body("a", 2)]);
}

#[test]
fn a_return_to_an_earlier_state_is_a_version_that_shares_its_body() {
    let (memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    keep_new(&vault, &body("b", 1), RECEIVED + 1);
    let third = keep_new(&vault, &body("a", 1), RECEIVED + 2);
    assert_eq!(first.stored, third.stored);
    assert_eq!(bodies(&memory), [body("a", 1), body("b", 1), body("a", 1)]);
    assert_eq!(memory.paths(&format!("collections/{ID}/objects/")).len(), 2);
}

#[test]
fn a_version_tells_what_it_changed() {
    let (_memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    let Kept::New(fresh) = keep(&vault, &body("b", 1), RECEIVED + 1) else { panic!("not kept") };
    let Fresh { version, before, diff } = *fresh;
    assert_eq!(before.unwrap().id, first.id);
    assert_eq!(version.before.as_ref(), Some(&first.id));
    assert_eq!(version.changes, Some(diff.unwrap().summary()));
    assert_eq!(first.changes, None);
}

#[test]
fn one_that_arrives_late_takes_its_place() {
    let (memory, vault) = vault();
    keep_new(&vault, &body("a", 1), RECEIVED);
    keep_new(&vault, &body("c", 1), RECEIVED + 2 * MINUTE);
    let late = keep_new(&vault, &body("b", 1), RECEIVED + MINUTE);
    assert_eq!(bodies(&memory), [body("a", 1), body("b", 1), body("c", 1)]);
    assert!(late.before.unwrap().starts_with("2026-11-21T19-36-47"));
    assert_eq!(memory.files()[&format!("latest/Shop-{ID}.json")], body("c", 1).as_bytes());
    // And one that says what the version before it says is seen.
    assert!(matches!(keep(&vault, &body("a", 9), RECEIVED + 1), Kept::Unchanged(_)));
}

#[test]
fn a_damaged_newest_version_does_not_count_as_kept() {
    let (memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    damage(&memory, &first.stored.file);
    keep_new(&vault, &body("a", 1), RECEIVED + 1);
    memory.files().remove(&first.stored.file);
    // The event of the damaged version brings its body back.
    assert!(matches!(keep(&vault, &body("a", 1), RECEIVED), Kept::Again(_)));
    assert_eq!(bodies(&memory), [body("a", 1), body("a", 1)]);
}

#[test]
fn a_renamed_collection_keeps_its_history_and_has_one_copy() {
    let (memory, vault) = vault();
    keep_new(&vault, &body("a", 1), RECEIVED);
    let renamed = Snapshot { name: Some("Store".to_owned()), ..snapshot(&body("b", 1), RECEIVED + 1) };
    run(vault.keep(renamed, RECEIVED + 1)).unwrap();
    assert_eq!(bodies(&memory).len(), 2);
    assert_eq!(memory.paths("latest/"), [format!("latest/Store-{ID}.json")]);
}

#[test]
fn a_copy_that_somebody_removed_is_made_again() {
    let (memory, vault) = vault();
    keep_new(&vault, &body("a", 1), RECEIVED);
    let copy = format!("latest/Shop-{ID}.json");
    memory.files().remove(&copy);
    keep(&vault, &body("a", 1), RECEIVED + 1);
    assert_eq!(memory.files()[&copy], body("a", 1).as_bytes());
}

#[test]
fn collections_are_told_apart_by_id_and_without_one_by_name() {
    let (memory, vault) = vault();
    for (name, id) in [("Shop", Some("7")), ("Shop", Some("1-7")), ("Shop", None), ("Store", None)] {
        let snapshot =
            Snapshot { name: Some(name.to_owned()), id: id.map(str::to_owned), ..snapshot("{}", RECEIVED) };
        run(vault.keep(snapshot, RECEIVED)).unwrap();
    }
    assert_eq!(run(vault.keys()).unwrap().len(), 4);
    assert_eq!(run(vault.find("7")).unwrap(), "7");
    assert_eq!(run(vault.find("1-7")).unwrap(), "1-7");
    assert_eq!(run(vault.find("12345-7")).unwrap(), "7");
    assert!(matches!(run(vault.find("8")), Err(Error::NoCollection(_))));
    assert_eq!(memory.paths("latest/").len(), 4);
}

#[test]
fn nothing_is_said_to_be_kept_that_cannot_be_read_back() {
    // However early the storage fails, what was kept before is whole, and a later try succeeds.
    for calls in 0..40 {
        let (memory, vault) = vault();
        keep_new(&vault, &body("a", 1), RECEIVED);
        memory.fail_after(Some(calls));
        let kept = run(vault.keep(snapshot(&body("b", 1), RECEIVED + 1), RECEIVED + 1));
        memory.fail_after(None);
        let expected = if kept.is_ok() { 2..=2 } else { 1..=2 };
        assert!(expected.contains(&bodies(&memory).len()), "after {calls} calls: {kept:?}");
        let again = keep(&reopened(&memory), &body("b", 1), RECEIVED + 1);
        assert!(matches!(again, Kept::New(_) | Kept::Again(_)));
        assert_eq!(bodies(&memory), [body("a", 1), body("b", 1)]);
        assert_eq!(memory.files()[&format!("latest/Shop-{ID}.json")], body("b", 1).as_bytes());
        if kept.is_ok() {
            return;
        }
    }
    panic!("it never succeeds");
}

#[test]
fn pruned_versions_go_at_once_and_their_bodies_after_a_day() {
    let (memory, vault) = vault();
    for minute in 0..5 {
        keep_new(&vault, &body(&format!("r{minute}"), 1), RECEIVED + minute * MINUTE);
    }
    let retention = Retention { last: 2, ..Retention::default() };
    let now = RECEIVED + 10 * MINUTE;
    let objects = || memory.paths(&format!("collections/{ID}/objects/")).len();

    let told = run(vault.prune(ID, Some(&retention), now, true)).unwrap();
    assert_eq!((told.gone.len(), told.kept.len()), (3, 2));
    assert_eq!(bodies(&memory).len(), 5);

    let pruned = run(vault.prune(ID, Some(&retention), now, false)).unwrap();
    assert_eq!((pruned.gone.len(), pruned.bodies), (3, 0));
    assert_eq!(bodies(&memory), [body("r3", 1), body("r4", 1)]);
    assert_eq!(objects(), 5);
    // The event of a pruned version does not bring it back.
    assert!(matches!(keep(&vault, &body("r0", 1), RECEIVED), Kept::Gone(_)));

    let pruned = run(vault.prune(ID, Some(&retention), now + DAY - 1, false)).unwrap();
    assert_eq!(pruned.bodies, 0);
    let pruned = run(vault.prune(ID, Some(&retention), now + DAY, false)).unwrap();
    assert_eq!((pruned.bodies, objects()), (3, 2));
    assert!(pruned.freed_bytes > 0);
    assert_eq!(bodies(&memory), [body("r3", 1), body("r4", 1)]);
}

#[test]
fn a_body_that_another_version_shares_stays() {
    let (memory, vault) = vault();
    keep_new(&vault, &body("a", 1), RECEIVED);
    keep_new(&vault, &body("b", 1), RECEIVED + 1);
    keep_new(&vault, &body("a", 1), RECEIVED + 2);
    let retention = Retention { last: 1, ..Retention::default() };
    run(vault.prune(ID, Some(&retention), RECEIVED + 3, false)).unwrap();
    let pruned = run(vault.prune(ID, Some(&retention), RECEIVED + 2 * DAY, false)).unwrap();
    assert_eq!(pruned.bodies, 1);
    assert_eq!(bodies(&memory), [body("a", 1)]);
}

#[test]
fn strays_of_writes_that_came_to_nothing_go_after_a_day() {
    let (memory, vault) = vault();
    keep_new(&vault, &body("a", 1), RECEIVED);
    let stray = names::object_file(&"0".repeat(64), RECEIVED, "00000000", ".zst");
    let stray = format!("collections/{ID}/objects/{stray}");
    memory.files().insert(stray.clone(), Bytes::from_static(b"half"));
    memory.files().insert(format!("collections/{ID}/objects/notes.txt"), Bytes::from_static(b"mine"));
    run(vault.prune(ID, None, RECEIVED + DAY - 1, false)).unwrap();
    assert!(memory.files().contains_key(&stray));
    run(vault.prune(ID, None, RECEIVED + DAY, false)).unwrap();
    assert!(!memory.files().contains_key(&stray));
    assert!(memory.files().contains_key(&format!("collections/{ID}/objects/notes.txt")));
    assert_eq!(bodies(&memory), [body("a", 1)]);
}

#[test]
fn no_body_goes_while_a_file_about_versions_cannot_be_read() {
    let (memory, vault) = vault();
    let first = keep_new(&vault, &body("a", 1), RECEIVED);
    let record = memory.paths(&format!("collections/{ID}/versions/")).remove(0);
    memory.files().insert(record.clone(), Bytes::from_static(b"{"));
    let pruned = run(reopened(&memory).prune(ID, None, RECEIVED + 9 * DAY, false)).unwrap();
    assert_eq!(pruned.bodies, 0);
    assert!(memory.files().contains_key(&first.stored.file));
    let verified = run(vault.verify(ID)).unwrap();
    assert_eq!(verified.damaged[0].file, Some(record));
}

#[test]
fn verify_names_what_is_damaged_and_mend_mends_it() {
    let (memory, vault) = vault();
    let versions: Vec<Version> =
        (0..4).map(|n| keep_new(&vault, &body(&format!("r{n}"), 1), RECEIVED + n * MINUTE)).collect();
    let now = RECEIVED + DAY;
    let sound = run(vault.verify(ID)).unwrap();
    assert_eq!((sound.versions, sound.damaged), (4, vec![]));

    damage(&memory, &versions[1].stored.file);
    memory.files().remove(&versions[2].stored.file);
    let record = memory.paths(&format!("collections/{ID}/versions/{}", versions[0].id)).remove(0);
    memory.files().remove(&record);
    let found = run(vault.verify(ID)).unwrap();
    let named: Vec<Option<&String>> = found.damaged.iter().map(|it| it.version.as_ref()).collect();
    assert_eq!(named, [Some(&versions[0].id), Some(&versions[1].id), Some(&versions[2].id)], "{found:?}");

    for (n, version) in versions.iter().enumerate().skip(1) {
        let version = run(reopened(&memory).version(ID, Some(&version.id))).unwrap();
        let mend = |text: String| run(reopened(&memory).mend(ID, &version, text.into(), now)).unwrap();
        assert_eq!(mend(body("another", 1)), Mending::OtherBody);
        let expected = if n == 3 { Mending::NotNeeded } else { Mending::Done };
        assert_eq!(mend(body(&format!("r{n}"), 1)), expected);
    }
    assert_eq!(bodies(&memory), [body("r1", 1), body("r2", 1), body("r3", 1)]);
    let left = run(reopened(&memory).verify(ID)).unwrap();
    assert_eq!(left.damaged.len(), 1, "{left:?}");
    // What it was before is cleared away, and what it is now is not.
    run(reopened(&memory).prune(ID, None, now + DAY, false)).unwrap();
    assert_eq!(memory.paths(&format!("collections/{ID}/objects/")).len(), 4);
    assert_eq!(bodies(&memory).len(), 3);
}

#[test]
fn secrets_are_named_in_the_record_and_taken_out_when_asked() {
    let secret = body("AKIAQ3EGRZ5XNB7V2WLD", 1);
    let (memory, vault) = vault();
    let version = keep_new(&vault, &secret, RECEIVED);
    assert_eq!((version.secrets.len(), version.redacted), (1, false));
    assert_eq!(bodies(&memory), std::slice::from_ref(&secret));

    let (memory, redacting) = vault_with(Settings { scan: Scan::Redact, ..settings() });
    let version = keep_new(&redacting, &secret, RECEIVED);
    assert_eq!((version.secrets.len(), version.redacted), (1, true));
    assert!(memory.files().values().all(|bytes| !bytes.windows(4).any(|it| it == b"AKIA")));
    assert!(matches!(keep(&redacting, &secret, RECEIVED + 1), Kept::Unchanged(_)));

    let (_, blind) = vault_with(Settings { scan: Scan::Off, ..settings() });
    assert_eq!(keep_new(&blind, &secret, RECEIVED).secrets, []);
}

#[test]
fn encrypted_versions_are_read_with_the_key_alone() {
    let identity = age::x25519::Identity::generate();
    let sealed = Coding { compress: true, encrypt_to: vec![identity.to_public()], decrypt_with: Vec::new() };
    let (memory, blind) = vault_with(Settings { coding: sealed.clone(), ..settings() });
    let first = keep_new(&blind, &body("a", 1), RECEIVED);
    assert!(matches!(keep(&blind, &body("a", 2), RECEIVED + 1), Kept::Unchanged(_)));
    let second = keep_new(&blind, &body("b", 1), RECEIVED + 2);
    assert_eq!(second.changes, None);
    assert!(memory.files().values().all(|bytes| !bytes.windows(8).any(|it| it == br#""item":["#)));
    assert_eq!(memory.paths("latest/"), [format!("latest/Shop-{ID}.json.age")]);
    assert!(matches!(run(blind.body(ID, &first)), Err(Error::NoIdentity)));
    let verified = run(blind.verify(ID)).unwrap();
    assert_eq!((verified.not_decrypted, verified.damaged.len()), (2, 0));
    damage(&memory, &second.stored.file);
    assert_eq!(run(blind.verify(ID)).unwrap().damaged.len(), 1);

    let open = Coding { decrypt_with: vec![identity], ..sealed };
    let open = Objects::new(Shelf::Memory(memory), Settings { coding: open, ..settings() });
    assert_eq!(run(open.body(ID, &first)).unwrap(), body("a", 1).as_bytes());
    assert!(matches!(run(open.body(ID, &second)), Err(Error::Damaged { .. })));
}
