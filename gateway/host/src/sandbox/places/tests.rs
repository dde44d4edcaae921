use std::{os::unix::fs::symlink, slice::from_ref};

use super::{Access, FileId, Place, fs, have_moved};

fn place(path: &std::path::Path, access: Access) -> Place {
    let id = fs::metadata(path).ok().as_ref().map(FileId::of);
    Place { path: path.to_owned(), access, id }
}

#[test]
fn a_folder_that_is_made_anew_has_moved() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let places = [place(&folder, Access::Read)];
    fs::write(folder.join("file"), "").unwrap();
    assert!(!have_moved(&places), "what is in it has changed, and not it");
    fs::rename(&folder, root.path().join("old")).unwrap();
    assert!(!have_moved(&places), "there is nothing to have a rule about");
    fs::create_dir(&folder).unwrap();
    assert!(have_moved(&places));
}

#[test]
fn a_folder_to_write_to_that_is_gone_is_made_by_the_next_start() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("folder");
    let absent = [place(&folder, Access::Write)];
    assert!(!have_moved(&absent), "it could not be made");
    fs::create_dir(&folder).unwrap();
    assert!(have_moved(&absent));
    let present = [place(&folder, Access::Write)];
    fs::remove_dir(&folder).unwrap();
    assert!(have_moved(&present));
}

#[test]
fn a_link_into_a_folder_with_a_rule_may_lead_to_another_file() {
    let root = tempfile::tempdir().unwrap();
    let (folder, link) = (root.path().join("folder"), root.path().join("link"));
    fs::create_dir(&folder).unwrap();
    let (one, other) = (folder.join("one"), folder.join("other"));
    fs::write(&one, "").unwrap();
    symlink(&one, &link).unwrap();
    let link_place = place(&link, Access::Read);
    let with_folder = [link_place.clone(), place(&folder, Access::Read)];
    fs::write(&other, "").unwrap();
    fs::rename(&other, &one).unwrap();
    assert!(!have_moved(&with_folder));
    assert!(have_moved(from_ref(&link_place)));
    assert!(have_moved(&[Place { access: Access::Write, ..link_place.clone() }, with_folder[1].clone()]));
    // And when the folder is another one, its rule covers nothing.
    fs::rename(&folder, root.path().join("old")).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(&one, "").unwrap();
    assert!(have_moved(&with_folder));
}
