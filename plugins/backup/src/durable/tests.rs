use super::*;

/// Names of what is in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_write_leaves_one_whole_file() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.json", b"{}").unwrap();
    assert_eq!(names(folder.path()), ["a.json"]);
    assert_eq!(fs::read(folder.path().join("a.json")).unwrap(), b"{}");
}

#[test]
fn a_new_file_replaces_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write_new(folder.path(), "a.json", b"first").unwrap();
    let error = write_new(folder.path(), "a.json", b"second").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(names(folder.path()), ["a.json"]);
    assert_eq!(fs::read(folder.path().join("a.json")).unwrap(), b"first");
}

#[test]
fn a_failed_write_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    // A folder with something in it cannot be replaced by a file.
    create_folder(&folder.path().join("a.json/below")).unwrap();
    write(folder.path(), "a.json", b"{}").unwrap_err();
    assert_eq!(names(folder.path()), ["a.json"]);
}

#[test]
fn a_temporary_file_of_somebody_else_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let taken: Vec<_> = (0..100).map(|count| format!(".postroom-{}-{count}.tmp", process::id())).collect();
    for name in &taken {
        fs::write(folder.path().join(name), b"theirs").unwrap();
    }
    write(folder.path(), "a.json", b"{}").unwrap();
    assert_eq!(names(folder.path()).len(), taken.len() + 1);
    assert_eq!(fs::read(folder.path().join(&taken[99])).unwrap(), b"theirs");
}

#[test]
fn folders_are_made_as_far_as_they_are_missing() {
    let folder = tempfile::tempdir().unwrap();
    let deep = folder.path().join("a/b/c");
    create_folder(&deep).unwrap();
    create_folder(&deep).unwrap();
    assert!(deep.is_dir());
}

#[test]
fn only_old_temporary_files_are_swept() {
    let folder = tempfile::tempdir().unwrap();
    let now_unix_ms = 1_795_289_807_042;
    let now = UNIX_EPOCH + Duration::from_millis(now_unix_ms);
    for (name, age) in
        [(".postroom-1-0.tmp", 3601), (".postroom-1-1.tmp", 3599), ("old.tmp", 9999), ("a.json", 9999)]
    {
        let file = File::create(folder.path().join(name)).unwrap();
        file.set_modified(now - Duration::from_secs(age)).unwrap();
    }
    assert_eq!(sweep(folder.path(), now_unix_ms).unwrap(), 1);
    assert_eq!(names(folder.path()), [".postroom-1-1.tmp", "a.json", "old.tmp"]);
}
