use super::*;

const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn a_name_tells_time_and_hash() {
    let version = Version::new(1_795_289_807_042, SHA256);
    assert_eq!(version.file_name(), "2026-11-21T19-36-47.042Z-0123456789ab.json");
    assert!(version.may_hold(SHA256));
    assert!(!version.may_hold(&SHA256.replace("01", "10")));
    assert_eq!(Version::parse(version.file_name()), Some(version));
}

#[test]
fn names_sort_by_time() {
    let times = [0, 1, 999, 1_000, 1_795_289_807_042, 1_795_289_807_043];
    let versions = times.map(|time| Version::new(time, SHA256));
    assert!(versions.is_sorted());
}

#[test]
fn an_impossible_time_still_has_a_name() {
    assert_eq!(Version::new(u64::MAX, SHA256).file_name(), "1970-01-01T00-00-00.000Z-0123456789ab.json");
}

#[test]
fn files_of_others_are_no_versions() {
    for name in
        ["", "notes.json", "README.md", ".postroom-1-1.tmp", "2026-11-21T19-36-47.042Z-0123456789ab.json.bak"]
    {
        assert_eq!(Version::parse(name), None, "{name}");
    }
}
