use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
const RECEIVED: u64 = 1_795_289_807_042;

fn archive() -> (TempDir, Archive) {
    let folder = tempfile::tempdir().unwrap();
    let archive = Archive::open(folder.path().join("backups")).unwrap();
    (folder, archive)
}

fn snapshot<'a>(name: &'a str, bytes: &'a [u8], received_unix_ms: u64) -> Snapshot<'a> {
    Snapshot { name: Some(name), id: Some(ID), bytes, received_unix_ms }
}

/// Every file below the root, with its content, by path.
fn files(archive: &Archive) -> Vec<(String, Vec<u8>)> {
    let folders = archive.entries(&archive.root).unwrap();
    let mut files: Vec<_> = folders
        .iter()
        .flat_map(|folder| archive.entries(folder).unwrap())
        .map(|file| {
            let path = file.strip_prefix(&archive.root).unwrap().to_str().unwrap().to_owned();
            (path, fs::read(file).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[track_caller]
fn check_versions(archive: &Archive, expected: &[&[u8]]) {
    let contents: Vec<_> = files(archive).into_iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(contents, expected);
}

#[test]
fn the_file_has_the_exact_bytes_under_the_promised_name() {
    let (_folder, archive) = archive();
    let bytes = b"{ \"info\":\t{\"name\": \"Shop\"} }";
    let kept = archive.keep(snapshot("Shop", bytes, RECEIVED)).unwrap();
    let sha256 = hex(&Sha256::digest(bytes));
    let file = format!("Shop-{ID}/2026-11-21T19-36-47.042Z-{}.json", &sha256[..12]);
    assert_eq!(kept, Kept { file: file.clone(), sha256, unchanged: false });
    assert_eq!(files(&archive), [(file, bytes.to_vec())]);
}

#[test]
fn the_same_event_again_makes_no_second_file() {
    let (_folder, archive) = archive();
    let first = archive.keep(snapshot("Shop", b"{}", RECEIVED)).unwrap();
    let again = archive.keep(snapshot("Shop", b"{}", RECEIVED)).unwrap();
    assert_eq!(again, Kept { unchanged: true, ..first });
    check_versions(&archive, &[b"{}"]);
}

#[test]
fn an_old_event_again_makes_no_second_file() {
    let (_folder, archive) = archive();
    let first = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    archive.keep(snapshot("Shop", b"[2]", RECEIVED + 1)).unwrap();
    let again = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    assert_eq!(again, Kept { unchanged: true, ..first });
    check_versions(&archive, &[b"[1]", b"[2]"]);
}

#[test]
fn unchanged_content_is_not_written_twice_but_a_return_to_it_is() {
    let (_folder, archive) = archive();
    let keep = |bytes, ms| archive.keep(snapshot("Shop", bytes, RECEIVED + ms)).unwrap();
    let first = keep(b"[1]", 0);
    assert_eq!(keep(b"[1]", 1000), Kept { unchanged: true, ..first });
    assert!(!keep(b"[2]", 2000).unchanged);
    assert!(!keep(b"[1]", 3000).unchanged);
    check_versions(&archive, &[b"[1]", b"[2]", b"[1]"]);
}

#[test]
fn a_damaged_newest_version_does_not_count_as_kept() {
    let (_folder, archive) = archive();
    let first = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    fs::write(archive.root.join(&first.file), b"[?]").unwrap();
    assert!(!archive.keep(snapshot("Shop", b"[1]", RECEIVED + 1)).unwrap().unchanged);
    check_versions(&archive, &[b"[?]", b"[1]"]);
}

#[test]
fn a_file_that_was_changed_by_hand_is_not_overwritten() {
    let (_folder, archive) = archive();
    let first = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    let path = archive.root.join(&first.file);
    fs::write(&path, b"mine").unwrap();
    let error = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap_err();
    assert!(matches!(&error, Error::Changed { path: changed } if *changed == path), "{error}");
    check_versions(&archive, &[b"mine"]);
}

#[test]
fn a_renamed_collection_keeps_its_folder() {
    let (_folder, archive) = archive();
    archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    let renamed = archive.keep(snapshot("Store", b"[2]", RECEIVED + 1)).unwrap();
    assert!(renamed.file.starts_with(&format!("Shop-{ID}/")), "{}", renamed.file);
}

#[test]
fn collections_of_one_name_differ_by_id() {
    let (_folder, archive) = archive();
    let other = ID.replace('c', "d");
    let ids = [Some(ID), Some(other.as_str()), Some("7"), Some("1-7"), None];
    for id in ids {
        archive.keep(Snapshot { id, ..snapshot("Shop", b"{}", RECEIVED) }).unwrap();
    }
    assert_eq!(files(&archive).len(), ids.len());
}

#[test]
fn collections_without_id_are_told_apart_by_name() {
    let (_folder, archive) = archive();
    for name in ["Shop", "Store"] {
        archive.keep(Snapshot { id: None, ..snapshot(name, name.as_bytes(), RECEIVED) }).unwrap();
    }
    let folders: Vec<_> =
        files(&archive).iter().map(|(path, _)| path.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(folders, ["Shop-unknown", "Store-unknown"]);
}

#[test]
fn files_of_others_do_not_disturb() {
    let (_folder, archive) = archive();
    let kept = archive.keep(snapshot("Shop", b"[1]", RECEIVED)).unwrap();
    fs::write(archive.root.join(&kept.file).with_file_name("zzz notes.json"), b"?").unwrap();
    fs::write(archive.root.join("README"), b"?").unwrap();
    assert!(archive.keep(snapshot("Shop", b"[1]", RECEIVED + 1)).unwrap().unchanged);
}

#[test]
fn opening_sweeps_every_folder() {
    let (_folder, archive) = archive();
    let kept = archive.keep(snapshot("Shop", b"{}", RECEIVED)).unwrap();
    let left_over = archive.root.join(&kept.file).with_file_name(".postroom-1-0.tmp");
    let file = File::create(&left_over).unwrap();
    file.set_modified(UNIX_EPOCH).unwrap();
    let (removed, passed_over) = archive.sweep(RECEIVED).unwrap();
    assert_eq!((removed, passed_over.len()), (1, 0));
    check_versions(&archive, &[b"{}"]);
}

#[test]
fn a_folder_that_cannot_be_swept_is_passed_over() {
    let (_folder, archive) = archive();
    let kept = archive.keep(snapshot("Shop", b"{}", RECEIVED)).unwrap();
    // A folder by the name of a left-over file cannot be removed as one.
    let odd = archive.root.join(&kept.file).with_file_name(".postroom-1-0.tmp");
    fs::create_dir(&odd).unwrap();
    File::open(&odd).unwrap().set_modified(UNIX_EPOCH).unwrap();
    let (removed, passed_over) = archive.sweep(RECEIVED).unwrap();
    assert_eq!((removed, passed_over.len()), (0, 1));
}

#[test]
fn a_root_that_cannot_be_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    for root in [file.clone(), file.join("below")] {
        assert!(matches!(Archive::open(root).unwrap_err(), Error::Root { .. }));
    }
}

#[test]
fn a_root_that_was_removed_is_made_again() {
    let (_folder, archive) = archive();
    fs::remove_dir(&archive.root).unwrap();
    archive.keep(snapshot("Shop", b"{}", RECEIVED)).unwrap();
    check_versions(&archive, &[b"{}"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_is_written_outside_the_root(
        name in prop_oneof![any::<Option<String>>(), Just(Some("../../etc".to_owned())), Just(Some("a\0b".to_owned()))],
        id in prop_oneof![any::<Option<String>>(), Just(Some("/../../x".to_owned())), Just(Some("..".to_owned()))],
    ) {
        let (folder, archive) = archive();
        let snapshot = Snapshot { name: name.as_deref(), id: id.as_deref(), bytes: b"{}", received_unix_ms: RECEIVED };
        let kept = archive.keep(snapshot).unwrap();
        prop_assert_eq!(files(&archive), vec![(kept.file, b"{}".to_vec())]);
        prop_assert_eq!(archive.entries(folder.path()).unwrap(), vec![archive.root.clone()]);
    }
}
