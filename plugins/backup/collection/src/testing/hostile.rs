//! Whatever comes in, nothing here panics, and what is refused is refused by all.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::Value;

use super::{collections, corpus};
use crate::{Tree, Unreadable, apply, convert_to_v2_1, diff, redact, scan, secrets, to_value, without_ids};

/// Does everything with some bytes.
fn check(bytes: &[u8], other: &[u8]) {
    let scanned = scan(bytes);
    assert_eq!(secrets(bytes), redact(bytes).1);
    let tree = Tree::parse(bytes);
    match (&scanned, &tree) {
        // The tree says no earlier, and only it has to.
        (_, Err(Unreadable::OddKey { .. })) => {}
        (Err(refused), Err(also)) => assert_eq!(refused, also),
        (scanned, tree) => assert_eq!(scanned.is_ok(), tree.is_ok()),
    }
    if let (Ok(scanned), Ok(tree)) = (&scanned, &tree) {
        let other = Tree::parse(other).unwrap();
        let away = diff(tree, &other);
        let back = diff(&other, tree);
        for diff in [&away, &back] {
            assert!(diff.summary().lines().count() == 1);
            assert_eq!(diff.is_empty(), diff.text().is_empty());
            assert_eq!(diff.is_empty(), diff.markdown().is_empty());
        }
        let there = apply(bytes, &away).unwrap();
        let again = apply(&there, &diff(&Tree::parse(&there).unwrap(), tree)).unwrap();
        assert_eq!(scan(&again).unwrap().canonical, scanned.canonical);
    }
    if let Ok(mut value) = to_value(bytes) {
        without_ids(&mut value);
        if let Ok(new) = convert_to_v2_1(value) {
            scan(new.to_string().as_bytes()).unwrap();
        }
    }
}

/// What else may stand where a byte of a collection was.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..3),
        "[\\[\\]{},:\"\\\\0-9a-z]{1,4}".prop_map(String::into_bytes),
        Just(b"\"\\ud83d\"".to_vec()),
        Just(b"\"item\":[".to_vec()),
        Just(b"\"-----BEGIN PRIVATE KEY-----".to_vec()),
        Just(b"eyJeyJ.eyJ".to_vec()),
        Just("\u{feff}".as_bytes().to_vec()),
    ]
}

proptest! {
    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..64)) {
        check(&bytes, b"{}");
    }

    #[test]
    fn bytes_of_a_collection_that_are_others(
        collection in collections(),
        other in collections(),
        changes in vec((any::<Index>(), 0..8_usize, piece()), 1..4),
    ) {
        let mut bytes = collection.to_string().into_bytes();
        for (at, length, piece) in changes {
            let at = at.index(bytes.len() + 1);
            let end = bytes.len().min(at + length);
            bytes.splice(at..end, piece);
        }
        check(&bytes, other.to_string().as_bytes());
    }

    #[test]
    fn old_collections(value in any_v1(), other in collections()) {
        check(value.to_string().as_bytes(), other.to_string().as_bytes());
    }
}

/// Format v1 with few ids, so that they often lead nowhere, twice to the same or in circles.
fn any_v1() -> impl Strategy<Value = Value> {
    let ids = || vec("[0-4]", 0..4);
    let folder = ("[0-4]", ids(), ids()).prop_map(
        |(id, order, folders)| serde_json::json!({ "id": id, "name": id, "order": order, "folders_order": folders }),
    );
    let odd = prop_oneof![
        Just(Value::Null),
        Just(serde_json::json!("x: y\n//z")),
        Just(serde_json::json!([{ "key": 1 }]))
    ];
    let request = ("[0-4]", odd.clone(), odd, "[a-z:/?#.=&]{0,12}").prop_map(|(id, headers, data, url)| {
        serde_json::json!({ "id": id, "headers": headers, "data": data, "dataMode": "params", "url": url,
            "pathVariables": { "a": 1 }, "responses": [{ "request": { "url": url } }], "tests": "a" })
    });
    (vec(folder, 0..5), vec(request, 0..5), ids(), ids()).prop_map(
        |(folders, requests, order, folders_order)| {
            serde_json::json!({ "id": "c", "order": order, "folders_order": folders_order,
            "folders": folders, "requests": requests })
        },
    )
}

#[test]
fn every_real_collection_that_is_cut_off() {
    for (_, bytes) in corpus() {
        for part in 1..20 {
            check(&bytes[..bytes.len() * part / 20], b"{}");
        }
    }
}
