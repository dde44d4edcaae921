use super::*;

const SHA256: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

#[test]
fn an_id_tells_time_and_hash() {
    let id = version_id(1_795_289_807_042, SHA256);
    assert_eq!(id, "2026-11-21T19-36-47.042Z-0123456789ab");
    assert_eq!(parse_version(&id), Some((1_795_289_807_042, "0123456789ab")));
    assert_eq!(rfc3339(1_795_289_807_042), "2026-11-21T19:36:47.042Z");
}

#[test]
fn ids_sort_by_time() {
    let ids = [0, 1, 999, 1_000, 1_795_289_807_042, 1_795_289_807_043].map(|time| version_id(time, SHA256));
    assert!(ids.is_sorted());
}

#[test]
fn an_impossible_time_still_has_a_name() {
    assert_eq!(version_id(u64::MAX, SHA256), "1970-01-01T00-00-00.000Z-0123456789ab");
}

#[test]
fn names_of_others_are_no_versions() {
    for name in ["", "notes", "README.md", "2026-11-21-0123456789ab", "2026-11-21T19-36-47.042Z-0123456789a"]
    {
        assert_eq!(parse_version(name), None, "{name}");
    }
}

#[test]
fn no_file_has_the_name_of_another() {
    let nonces: std::collections::BTreeSet<String> = (0..1000).map(|_| nonce("event", 7)).collect();
    assert_eq!(nonces.len(), 1000);
    let name = object_file(SHA256, 1_795_289_807_042, "00000000", ".zst");
    assert_eq!(object_made_unix_ms(&name), Some(1_795_289_807_042));
    assert_eq!(object_made_unix_ms("notes.txt"), None);
}

#[test]
fn collections_without_an_id_are_known_by_their_name() {
    assert_eq!(collection_key(Some("Shop"), Some("7")), "7");
    assert_eq!(collection_key(Some("Shop"), Some("")), collection_key(Some(" Shop "), None));
    assert_ne!(collection_key(Some("Shop"), None), collection_key(Some("Store"), None));
    assert!(collection_key(None, None).starts_with("unknown~"));
}
