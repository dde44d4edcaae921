use std::{fs, path::Path};

use super::*;

fn stamp(file: &Path, content: &str) -> Option<Stamp> {
    let beside = file.with_extension("new");
    fs::write(&beside, content).unwrap();
    fs::rename(beside, file).unwrap();
    Stamp::of(file)
}

#[test]
fn a_file_is_taken_when_it_has_changed_and_settled_and_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libplugin.so");
    let loaded = stamp(&file, "one");
    let mut looks = Looks::default();
    let name = DestinationName::new("a");
    let mut due = |loaded, now| looks.is_due(&name, loaded, now);
    assert!(!due(loaded, Stamp::of(&file)), "it is what was loaded");
    let growing = stamp(&file, "two, half");
    assert!(!due(loaded, growing), "it may still be written");
    let whole = stamp(&file, "two, and the other half");
    assert!(!due(loaded, whole), "it was still being written");
    assert!(due(loaded, whole), "it has settled");
    assert!(!due(loaded, whole), "it was tried, and does not run");
    assert!(!due(loaded, None), "it is gone");
    assert!(!due(loaded, whole), "it is back");
    assert!(due(loaded, whole), "and may be another");
    assert!(!due(whole, whole), "it was loaded");
}
