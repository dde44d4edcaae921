use super::*;

fn blobs() -> (tempfile::TempDir, Blobs) {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path().join("blobs")).unwrap();
    (folder, blobs)
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
    let name = blobs.put(b"abc").unwrap();
    assert_eq!(blobs.put(b"abc").unwrap(), name);
    let digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(files(blobs.folder()), [blobs.folder().join("ba").join(digits)]);
    assert_eq!(blobs.get(name, 3).unwrap(), b"abc");
}

#[test]
fn a_file_that_lost_bytes_is_noticed_and_written_again() {
    let (_folder, blobs) = blobs();
    let name = blobs.put(b"the whole body").unwrap();
    fs::write(blobs.path(name), b"the whole").unwrap();
    assert!(matches!(blobs.get(name, 14), Err(ReadBlobError::Changed(found)) if found == name));
    blobs.put(b"the whole body").unwrap();
    assert_eq!(blobs.get(name, 14).unwrap(), b"the whole body");
}

#[test]
fn a_file_with_other_bytes_of_the_same_length_is_noticed() {
    let (_folder, blobs) = blobs();
    let name = blobs.put(b"left").unwrap();
    fs::write(blobs.path(name), b"lift").unwrap();
    assert!(matches!(blobs.get(name, 4), Err(ReadBlobError::Changed(_))));
    // The good bytes are at hand: they must not be dropped in favour of the bad ones.
    blobs.put(b"left").unwrap();
    assert_eq!(blobs.get(name, 4).unwrap(), b"left");
}

#[test]
fn a_missing_file_is_named() {
    let (_folder, blobs) = blobs();
    let name = blobs.put(b"gone").unwrap();
    fs::remove_file(blobs.path(name)).unwrap();
    assert!(matches!(blobs.get(name, 4), Err(ReadBlobError::Missing(_))));
}

#[test]
fn opening_removes_what_a_crash_left_half_written_and_nothing_else() {
    let (_folder, blobs) = blobs();
    let name = blobs.put(b"kept").unwrap();
    fs::write(blobs.temporary_folder().join("7"), b"half").unwrap();
    let blobs = Blobs::open(blobs.folder().to_owned()).unwrap();
    assert_eq!(files(blobs.folder()), [blobs.path(name)]);
}
