use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown, symlink},
    path::Path,
};

use rustix::{
    fs::{CWD, FileType, Mode, mknodat},
    process::geteuid,
};

use super::{open, writable_by_others};

/// A folder with a file in it that may be loaded.
fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("libx.so");
    fs::write(&file, "code").unwrap();
    set_mode(&file, 0o644);
    (folder, file)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[track_caller]
fn check_refused(path: &Path, expected: &str) {
    let refused = open(path).unwrap_err().to_string();
    assert!(refused.contains(expected), "{refused}");
}

#[test]
fn a_file_that_only_its_owner_can_write_is_opened() {
    let (_folder, file) = folder();
    open(&file).unwrap();
}

#[test]
fn what_others_can_write_is_refused() {
    let (folder, file) = folder();
    for mode in [0o646, 0o666] {
        set_mode(&file, mode);
        check_refused(&file, "others can write to");
    }
    set_mode(&file, 0o644);
    for mode in [0o757, 0o777, 0o1777] {
        set_mode(folder.path(), mode);
        check_refused(&file, &format!("others can write to {}", folder.path().display()));
    }
}

#[test]
fn a_link_a_folder_and_a_pipe_are_refused() {
    let (folder, file) = folder();
    let link = folder.path().join("liblink.so");
    symlink(&file, &link).unwrap();
    check_refused(&link, "is a link");
    check_refused(folder.path(), "is not a regular file");
    let pipe = folder.path().join("libpipe.so");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o644), 0).unwrap();
    check_refused(&pipe, "is not a regular file");
}

#[test]
fn a_file_of_somebody_else_is_refused() {
    // Only root can give a file away.
    if !geteuid().is_root() {
        return;
    }
    let (folder, file) = folder();
    chown(&file, Some(65534), None).unwrap();
    check_refused(&file, "belongs to the user 65534");
    chown(&file, Some(0), None).unwrap();
    chown(folder.path(), Some(65534), None).unwrap();
    check_refused(&file, "belongs to the user 65534");
}

#[test]
fn the_group_that_is_the_owners_own_is_no_other() {
    assert!(!writable_by_others(0o664, 1000, 1000));
    assert!(writable_by_others(0o664, 1000, 100));
    assert!(writable_by_others(0o646, 1000, 1000));
    assert!(!writable_by_others(0o644, 1000, 100));
}
