use std::os::unix::fs::symlink;

use super::*;
use crate::sandbox::Access;

#[track_caller]
fn check(path: &Path, own: &[PathBuf], expected: &str) {
    let folder = Folder { path: path.to_owned(), access: Access::Read };
    let refused = refused(&[folder], own).join("; ");
    assert!(
        if expected.is_empty() { refused.is_empty() } else { refused.contains(expected) },
        "{path:?}: {refused}"
    );
}

#[test]
fn what_is_of_the_system_is_granted_to_nobody() {
    for (path, expected) in [
        ("/proc", "/proc is granted to no plugin: it lies in /proc"),
        ("/proc/1/fd", "it lies in /proc"),
        ("/proc/not/there", "it lies in /proc"),
        ("/sys/kernel", "it lies in /sys"),
        ("/dev", "it lies in /dev"),
        ("/", "/proc lies in it"),
        ("/process", ""),
        ("/tmp", ""),
        ("/usr/share", ""),
    ] {
        check(Path::new(path), &[], expected);
    }
}

#[test]
fn a_link_is_judged_by_where_it_leads() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link");
    symlink("/proc", &link).unwrap();
    check(&link, &[], "link leads to /proc, which is granted to no plugin: it lies in /proc");
    check(&link.join("self/fd"), &[], "it lies in /proc");
    check(&link.join("not/there"), &[], "it lies in /proc");
    check(&folder.path().join("other"), &[], "");
}

#[test]
fn what_is_the_gateways_own_is_granted_to_nobody_and_what_lies_beside_it_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("postroom.db.blobs/ab")).unwrap();
    let real = folder.path().join("real");
    fs::rename(&data, &real).unwrap();
    symlink(&real, &data).unwrap();
    let own = [data.join("postroom.db"), data.join("postroom.db.blobs")];
    for (path, expected) in [
        (folder.path().to_owned(), "which is the gateway's own, lies in it"),
        (data.clone(), "which is the gateway's own, lies in it"),
        (real.join("postroom.db"), "it is the gateway's own"),
        (real.join("postroom.db.blobs/ab"), "it is the gateway's own"),
        (data.join("backups"), ""),
        (real.join("postroom.db.old"), ""),
    ] {
        check(&path, &own, expected);
    }
}

#[test]
fn the_file_systems_of_the_kernel_are_told_apart() {
    let is_of_kernel = |path: &str| is_of_kernel(fs::File::open(path).unwrap());
    assert!(is_of_kernel("/proc/self/status"));
    assert!(!is_of_kernel("/etc"));
}
