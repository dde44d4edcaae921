use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    scan,
    testing::{BACKUP, HALF, collections, corpus, with_other_ids},
};

fn canonical(value: &Value) -> [u8; 32] {
    scan(value.to_string().as_bytes()).unwrap().canonical
}

/// The same hash, of values, and with what is ignored said as paths.
fn naive(value: &Value, path: &str, hash: &mut Sha256) {
    match value {
        Value::Object(object) => {
            hash.update(b"{");
            let mut inside = Sha256::new();
            for (key, value) in object.iter().collect::<BTreeMap<_, _>>() {
                if !is_ignored(path, key, object.contains_key("key")) {
                    inside.update(key);
                    inside.update([0xff]);
                    naive(value, &format!("{path}.{key}"), &mut inside);
                }
            }
            hash.update(inside.finalize());
        }
        Value::Array(list) => {
            hash.update(b"[");
            let mut inside = Sha256::new();
            for value in list {
                naive(value, &format!("{path}[]"), &mut inside);
            }
            hash.update(inside.finalize());
        }
        Value::String(text) => {
            hash.update(b"\"");
            hash.update(text);
            hash.update([0xff]);
        }
        other => {
            hash.update(other.to_string());
            hash.update([0xff]);
        }
    }
}

fn is_ignored(path: &str, key: &str, has_key: bool) -> bool {
    // All items have the same rules, however deep they are; so have both spellings of a list.
    let mut path = path.replace(".item[].item[]", ".item[]");
    while path.contains(".item[].item[]") {
        path = path.replace(".item[].item[]", ".item[]");
    }
    for (other, usual) in
        [(".events[]", ".event[]"), (".variables[]", ".variable[]"), (".responses[]", ".response[]")]
    {
        path = path.replace(other, usual);
    }
    let path = path.replace("[].response[].originalRequest.", "[].request.");
    let ignored: &[&str] = match &*path {
        "" => &["_postman_id", "uid", "updatedAt", "createdAt", "lastUpdatedBy"],
        ".info" => &["id", "_postman_id", "uid", "updatedAt", "createdAt", "lastUpdatedBy"],
        ".item[]" => &["id", "_postman_id", "uid", "updatedAt", "createdAt", "lastUpdatedBy"],
        ".item[]._" => &["postman_id"],
        ".item[].response[]" => &["id", "_postman_id", "uid", "responseTime"],
        ".event[]" | ".event[].script" | ".item[].event[]" | ".item[].event[].script" => &["id"],
        ".folders[].event[]" | ".folders[].event[].script" | ".requests[].event[]" => &["id"],
        ".requests[].event[].script" => &["id"],
        ".variable[]" | ".item[].variable[]" | ".item[].request.url.variable[]" if has_key => &["id"],
        ".folders[].variable[]" | ".requests[].variable[]" if has_key => &["id"],
        ".folders[]" | ".requests[]" => &["updatedAt", "createdAt", "lastUpdatedBy"],
        ".requests[].response[]" => &["responseTime"],
        _ => &[],
    };
    ignored.contains(&key)
}

fn naive_root(value: &Value) -> [u8; 32] {
    // What stands for an object in a list is a mark and its hash; the object alone is its hash.
    let mut inside = Sha256::new();
    for (key, value) in value.as_object().unwrap().iter().collect::<BTreeMap<_, _>>() {
        if !is_ignored("", key, false) {
            inside.update(key);
            inside.update([0xff]);
            naive(value, &format!(".{key}"), &mut inside);
        }
    }
    inside.finalize().into()
}

proptest! {
    #[test]
    fn is_what_a_tree_of_values_says(collection in collections()) {
        prop_assert_eq!(canonical(&collection), naive_root(&collection));
    }

    #[test]
    fn generated_ids_do_not_count(collection in collections()) {
        prop_assert_eq!(canonical(&collection), canonical(&with_other_ids(collection)));
    }
}

#[test]
fn is_the_naive_hash_for_every_real_collection() {
    for (name, bytes) in corpus() {
        let text = std::str::from_utf8(&bytes).unwrap().trim_start_matches('\u{feff}');
        // `serde_json` reads no half surrogate pair.
        let Ok(value) = serde_json::from_str::<Value>(text) else {
            assert_eq!(name, "backup");
            continue;
        };
        let value = value.get("collection").unwrap_or(&value);
        assert_eq!(scan(&bytes).unwrap().canonical, naive_root(value), "{name}");
    }
}

/// Changes every leaf of the small backup, one at a time.
#[test]
fn only_what_is_named_does_not_count() {
    fn leaves(value: &Value, pointer: String, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                object.iter().for_each(|(key, value)| leaves(value, format!("{pointer}/{key}"), found));
            }
            Value::Array(list) => {
                list.iter()
                    .enumerate()
                    .for_each(|(at, value)| leaves(value, format!("{pointer}/{at}"), found));
            }
            _ => found.push(pointer),
        }
    }
    let text = String::from_utf8(BACKUP.to_vec()).unwrap().replace(HALF, "");
    let backup: Value = serde_json::from_str(&text).unwrap();
    let mut all = Vec::new();
    leaves(&backup, String::new(), &mut all);
    assert!(all.len() > 60, "{all:?}");
    let mut ignored = Vec::new();
    for pointer in all {
        let mut other = backup.clone();
        *other.pointer_mut(&pointer).unwrap() = json!("another");
        if canonical(&other) == canonical(&backup) {
            ignored.push(pointer);
        }
    }
    let expected = [
        "/info/_postman_id",
        "/item/0/id",
        "/item/0/item/0/event/0/script/id",
        "/item/0/item/0/id",
        "/item/0/item/0/response/0/id",
        "/item/0/item/0/response/0/responseTime",
        "/item/0/item/1/id",
        "/item/0/item/1/request/url/variable/0/id",
        "/item/1/id",
        "/item/1/item/0/id",
        "/item/1/item/0/item/0/id",
        "/item/2/id",
        "/event/0/script/id",
        "/variable/0/id",
    ];
    assert_eq!(ignored, expected);
}

#[track_caller]
fn check_same(one: &str, other: &str, expected: bool) {
    let canonical = |text: &str| scan(text.as_bytes()).unwrap().canonical;
    assert_eq!(canonical(one) == canonical(other), expected, "{one} and {other}");
}

#[test]
fn how_it_is_written_does_not_count_and_what_it_says_does() {
    check_same(r#"{"a": 1, "b": [1, 2]}"#, r#"{"b":[1,2],"a":1}"#, true);
    check_same(r#"{"a": "é/😀"}"#, r#"{"a": "\u00e9\/\ud83d\ude00"}"#, true);
    check_same(r#"{"\u0061": 1}"#, r#"{"a": 1}"#, true);
    check_same(r#"{"a": 2, "a": 1}"#, r#"{"a": 1}"#, true);
    check_same(r#"{"a": 1, "a": 2, "a": 3, "b": 1}"#, r#"{"b": 1, "a": 3}"#, true);
    check_same("\u{feff}{}", " { } \n", true);
    check_same(r#"{"collection": {"name": "a"}}"#, r#"{"name": "a"}"#, true);
    check_same("{\"collection\": \u{feff}{\"name\": \"a\"}}", r#"{"name": "a"}"#, true);
    check_same(r#"{"collection": {"name": "a"}, "item": []}"#, r#"{"name": "a"}"#, false);
    check_same(r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#, false);
    check_same(r#"{"a": [[1], 2]}"#, r#"{"a": [[1, 2]]}"#, false);
    check_same(r#"{"a": "1"}"#, r#"{"a": 1}"#, false);
    check_same(r#"{"a": null}"#, "{}", false);
    check_same(r#"{"a": {}}"#, r#"{"a": []}"#, false);
    check_same(r#"{"a": "\ud83d"}"#, r#"{"a": "\ud83e"}"#, false);
    check_same(r#"{"a": "\ud83d"}"#, r#"{"a": "\ufffd"}"#, false);
    check_same(r#"{"a": "\ud83d\n"}"#, r#"{"a": "\ud83d"}"#, false);
}
