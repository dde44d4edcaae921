use std::{fs, io::Write, os::unix::fs::PermissionsExt};

use super::seal;
use crate::{
    digest::Digest,
    inspect::{PluginFile, inspect},
    testing::{PLUGIN, compile_to, manifest, source_with_manifest},
};

/// A plugin in a file that a test may change.
fn plugin() -> (tempfile::TempDir, PluginFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("libplugin.so");
    fs::copy(&PLUGIN.path, &path).unwrap();
    (folder, inspect(&path).unwrap())
}

#[test]
fn the_bytes_that_were_checked_stay_when_the_file_changes() {
    let (_folder, plugin) = plugin();
    let before = fs::read(&plugin.path).unwrap();
    let mut sealed = seal(&plugin).unwrap();
    fs::write(&plugin.path, "other bytes").unwrap();
    let library = std::sync::Arc::get_mut(&mut sealed.library).unwrap();
    assert!(library.write(b"other bytes").is_err());
    assert!(library.set_len(0).is_err());
    let mut after = Vec::new();
    std::io::Seek::rewind(library).unwrap();
    std::io::Read::read_to_end(library, &mut after).unwrap();
    assert!(before == after);
}

#[test]
fn a_pinned_plugin_is_the_pinned_one_or_none() {
    let (_folder, plugin) = plugin();
    let sealed = seal(&plugin).unwrap();
    assert_eq!(sealed.plugin, plugin);
    let other = Digest::parse(&"0".repeat(64)).unwrap();
    let error = seal(&PluginFile { pin: Some(other), ..plugin.clone() }).unwrap_err().to_string();
    assert!(error.contains(&format!("the configuration wants {other}")), "{error}");
    let found = error.split_whitespace().find_map(|word| Digest::parse(word.trim_end_matches(',')).ok());
    seal(&PluginFile { pin: found, ..plugin }).unwrap();
}

#[test]
fn a_file_that_has_become_another_plugin_is_refused() {
    let (_folder, plugin) = plugin();
    compile_to(&plugin.path, &source_with_manifest(&manifest("other", "1.0.0")), &["-shared", "-fPIC"]);
    let error = seal(&plugin).unwrap_err().to_string();
    assert!(error.contains("is now the plugin \"other\""), "{error}");
}

#[test]
fn a_file_that_others_can_write_by_now_is_refused() {
    let (_folder, plugin) = plugin();
    fs::set_permissions(&plugin.path, fs::Permissions::from_mode(0o666)).unwrap();
    let error = seal(&plugin).unwrap_err().to_string();
    assert!(error.contains("others can write to"), "{error}");
}

#[test]
fn a_file_that_has_become_another_version_is_refused() {
    let (_folder, plugin) = plugin();
    compile_to(&plugin.path, &source_with_manifest(&manifest("scripted", "9.0.0")), &["-shared", "-fPIC"]);
    let error = seal(&plugin).unwrap_err().to_string();
    assert!(error.contains("is now version 9.0.0 and no longer"), "{error}");
}
