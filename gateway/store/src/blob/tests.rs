use std::sync::Arc;

use super::{draft::Draft, *};
use crate::body::KeptBody;

fn blobs() -> (tempfile::TempDir, Arc<Blobs>) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("blobs")).unwrap();
    (folder, Arc::new(blobs))
}

fn put(blobs: &Arc<Blobs>, body: &[u8]) -> KeptBody {
    let mut draft = Draft::begin(Arc::clone(blobs)).unwrap();
    // In two pieces, as bodies come.
    let (head, tail) = body.split_at(body.len() / 2);
    draft.write(head).unwrap();
    draft.write(tail).unwrap();
    draft.finish().unwrap()
}

fn read(blobs: &Blobs, name: BlobName, bytes: u64) -> Vec<u8> {
    let file = blobs.get(name, bytes).unwrap();
    let mut body = vec![0; bytes.try_into().unwrap()];
    file.read_exact_at(&mut body, 0).unwrap();
    body
}

/// All names that a look through the folders finds.
fn strays(blobs: &Arc<Blobs>) -> Vec<BlobName> {
    let mut found = Vec::new();
    loop {
        let strays = blobs.strays().unwrap();
        found.extend_from_slice(strays.names());
        if !strays.settle() {
            return found;
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_body_is_named_by_its_sha_256_and_kept_once() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"abc").name();
    assert_eq!(put(&blobs, b"abc").name(), name);
    let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(files(blobs.folder()), [blobs.folder().join("ba").join(digits)]);
    assert_eq!(read(&blobs, name, 3), b"abc");
}

#[test]
fn a_file_that_lost_bytes_is_noticed_and_written_again() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"the whole body").name();
    fs::write(blobs.path(name), b"the whole").unwrap();
    assert!(matches!(blobs.get(name, 14), Err(ReadBlobError::Changed(found)) if found == name));
    put(&blobs, b"the whole body");
    assert_eq!(read(&blobs, name, 14), b"the whole body");
}

#[test]
fn a_file_with_other_bytes_of_the_same_length_is_noticed() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"left").name();
    fs::write(blobs.path(name), b"lift").unwrap();
    assert!(matches!(blobs.get(name, 4), Err(ReadBlobError::Changed(_))));
    // The good bytes are at hand: they must not be dropped in favour of the bad ones.
    put(&blobs, b"left");
    assert_eq!(read(&blobs, name, 4), b"left");
}

#[test]
fn a_missing_file_is_named() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"gone").name();
    fs::remove_file(blobs.path(name)).unwrap();
    assert!(matches!(blobs.get(name, 4), Err(ReadBlobError::Missing(_))));
}

#[test]
fn what_is_read_already_stays_readable_when_the_same_body_comes_again() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"twice").name();
    let reading = blobs.get(name, 5).unwrap();
    put(&blobs, b"twice");
    let mut body = [0; 5];
    reading.read_exact_at(&mut body, 0).unwrap();
    assert_eq!(&body, b"twice");
}

#[test]
fn opening_removes_what_a_crash_left_half_written_and_nothing_else() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"kept").name();
    fs::write(blobs.temporary_folder().join("7"), b"half").unwrap();
    let blobs = Blobs::open(blobs.folder().to_owned()).unwrap();
    assert_eq!(files(blobs.folder()), [blobs.path(name)]);
}

#[test]
fn a_draft_that_is_given_up_leaves_nothing() {
    let (_folder, blobs) = blobs();
    let mut draft = Draft::begin(Arc::clone(&blobs)).unwrap();
    draft.write(b"half").unwrap();
    assert_eq!(files(blobs.folder()).len(), 1);
    drop(draft);
    assert!(files(blobs.folder()).is_empty());
}

#[test]
fn a_body_on_its_way_in_cannot_be_doomed() {
    let (_folder, blobs) = blobs();
    let kept = put(&blobs, b"body");
    assert!(!blobs.doom(kept.name()));
    let clone = kept.clone();
    drop(kept);
    assert!(!blobs.doom(clone.name()), "one clone is enough");
    assert_eq!(blobs.remove([clone.name()]).unwrap(), (0, 0));
    assert_eq!(read(&blobs, clone.name(), 4), b"body");
}

#[test]
fn a_doomed_body_goes_unless_it_comes_in_again_first() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"body").name();
    assert!(blobs.doom(name));
    let again = put(&blobs, b"body");
    assert_eq!(blobs.remove([name]).unwrap(), (0, 0), "its doom was taken back");
    assert_eq!(read(&blobs, name, 4), b"body");
    drop(again);
    assert!(blobs.doom(name));
    assert_eq!(blobs.remove([name]).unwrap(), (1, 4));
    assert!(files(blobs.folder()).is_empty());
    assert_eq!(blobs.remove([name]).unwrap(), (0, 0), "once");
}

#[test]
fn a_body_that_nobody_accepted_is_a_stray_and_one_that_was_is_not() {
    let (_folder, blobs) = blobs();
    assert!(strays(&blobs).is_empty());
    let accepted = put(&blobs, b"accepted");
    accepted.settle();
    drop(accepted);
    let refused = put(&blobs, b"refused").name();
    assert_eq!(strays(&blobs), [refused]);
    assert!(strays(&blobs).is_empty(), "each is told once");
}

#[test]
fn after_a_start_every_file_is_looked_at_once() {
    let (_folder, blobs) = blobs();
    let mut names = [b"a", b"b", b"c"].map(|body| put(&blobs, body).name());
    let blobs = Arc::new(Blobs::open(blobs.folder().to_owned()).unwrap());
    fs::write(blobs.path(names[0]).with_extension("backup"), b"").unwrap();
    let mut found = strays(&blobs);
    found.sort_by_key(|name| *name.as_bytes());
    names.sort_by_key(|name| *name.as_bytes());
    assert_eq!(found, names, "and only files with the name of a body");
    assert!(strays(&blobs).is_empty());
}

#[test]
fn a_removal_that_was_given_up_is_made_up_for() {
    let (_folder, blobs) = blobs();
    let kept = put(&blobs, b"body");
    let name = kept.name();
    kept.settle();
    drop(kept);
    assert!(strays(&blobs).len() <= 1, "all folders were looked through");
    assert!(blobs.doom(name));
    assert_eq!(blobs.strays().unwrap().names(), [name], "doomed, and nobody has removed it");
    let again = blobs.strays().unwrap();
    assert_eq!(again.names(), [name], "nor has whoever looked at it then");
    assert!(blobs.doom(name));
    again.settle();
    assert_eq!(blobs.remove([name]).unwrap(), (1, 4));
    assert!(strays(&blobs).is_empty());
}

#[test]
fn a_removal_that_fails_midway_is_made_up_for() {
    let (_folder, blobs) = blobs();
    let names = [b"a", b"b"].map(|body| put(&blobs, body).name());
    strays(&blobs);
    assert!(names.into_iter().all(|name| blobs.doom(name)));
    let temporary = blobs.temporary_folder();
    fs::remove_dir(&temporary).unwrap();
    blobs.remove(names).unwrap_err();
    fs::create_dir(&temporary).unwrap();
    let mut left = strays(&blobs);
    left.sort_by_key(|name| *name.as_bytes());
    let mut all = names;
    all.sort_by_key(|name| *name.as_bytes());
    assert_eq!(left, all);
    assert!(names.into_iter().all(|name| blobs.doom(name)));
    assert_eq!(blobs.remove(names).unwrap(), (2, 2));
}

#[test]
fn a_file_that_was_moved_aside_goes_with_a_later_removal() {
    let (_folder, blobs) = blobs();
    let name = put(&blobs, b"body").name();
    // No file can be removed as one that is a folder.
    fs::remove_file(blobs.path(name)).unwrap();
    fs::create_dir(blobs.path(name)).unwrap();
    assert!(blobs.doom(name));
    blobs.remove([name]).unwrap_err();
    let aside = fs::read_dir(blobs.temporary_folder()).unwrap().next().unwrap().unwrap().path();
    fs::remove_dir(&aside).unwrap();
    fs::write(&aside, b"body").unwrap();
    assert_eq!(blobs.remove([]).unwrap(), (1, 4));
    assert!(files(blobs.folder()).is_empty());
}
