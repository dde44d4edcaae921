use serde_json::json;

use super::{ApplyError, apply};
use crate::{Diff, Tree, diff, scan, testing::BACKUP};

fn difference(before: &str, after: &str) -> Diff {
    diff(&Tree::parse(before.as_bytes()).unwrap(), &Tree::parse(after.as_bytes()).unwrap())
}

#[test]
fn what_did_not_change_is_copied_byte_for_byte() {
    let before = r#"{ "item": [ { "name" : "a",  "request": "x" }, {"name":"b", "request": "y"} ] }"#;
    let after = r#"{"item":[{"name":"a","request":"x"},{"name":"c","request":"y"}]}"#;
    let made = apply(before.as_bytes(), &difference(before, after)).unwrap();
    assert_eq!(
        String::from_utf8(made).unwrap(),
        r#"{"item":[{ "name" : "a",  "request": "x" },{"name":"c","request":"y"}]}"#
    );
    assert_eq!(apply(BACKUP, &Diff::default()).unwrap(), BACKUP.trim_ascii());
}

#[test]
fn ids_are_those_of_the_first_collection() {
    let before = r#"{"item":[{"id":"1","name":"a","request":"x"}]}"#;
    let after = r#"{"item":[{"id":"2","name":"a","request":"y"}]}"#;
    let made = apply(before.as_bytes(), &difference(before, after)).unwrap();
    assert_eq!(String::from_utf8(made).unwrap(), r#"{"item":[{"id":"1","name":"a","request":"y"}]}"#);
}

#[test]
fn a_wrapped_collection_comes_out_of_its_wrapping() {
    let before = r#"{"collection":{"item":[]}}"#;
    let made = apply(before.as_bytes(), &difference(before, r#"{"item":[],"variable":[]}"#)).unwrap();
    assert_eq!(String::from_utf8(made).unwrap(), r#"{"item":[],"variable":[]}"#);
}

#[track_caller]
fn check_refused(before: &str, changes: serde_json::Value, expected: &str) {
    let diff: Diff = serde_json::from_value(json!({ "changes": changes })).unwrap();
    let error = apply(before.as_bytes(), &diff).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn another_collection_is_refused() {
    let one = r#"{"item":[{"name":"a","request":"x"}]}"#;
    let removed = json!([{ "how": "removed", "what": "request", "place": ["b"], "from": "/item/1" }]);
    check_refused(one, removed, "nothing at /item/1");
    let changed = |path: &str| {
        json!([{ "how": "changed", "what": "request", "place": ["a"], "from": "/item/0",
            "fields": [{ "path": path, "before": "y", "after": "z" }] }])
    };
    check_refused(one, changed("/request"), "/request is not what it was");
    check_refused(one, changed("/request/url"), "/request/url is not what it was");
    check_refused(one, changed("/response"), "/response is not what it was");
    check_refused(one, changed(""), "is not what it was");
    let added = |to: &str| json!([{ "how": "added", "what": "request", "place": ["b"], "to": to, "value": { "name": "b" } }]);
    check_refused(one, added("/item/2"), "nothing at /item/2");
    check_refused(one, added("/item/0/item/0"), "nothing at /item/0/item/0");
    check_refused(one, added("/item"), "nothing at /item");
    check_refused(one, added(&"/item/0".repeat(100)), "no place");
    check_refused(
        one,
        json!([{ "how": "added", "what": "request", "place": ["b"], "to": "/item/0" }]),
        "no value: b",
    );
    check_refused(
        one,
        json!([{ "how": "moved", "what": "request", "place": ["b"], "from": "/item/0" }]),
        "no place",
    );
    check_refused(one, json!([{ "how": "removed", "what": "request", "place": ["b"] }]), "no place");
    let moved = |from: &str, to: &str| json!({ "how": "moved", "what": "folder", "place": ["b"], "from": from, "to": to });
    check_refused(one, json!([moved("", "/item/0")]), "no place");
    check_refused(
        one,
        json!([{ "how": "removed", "what": "collection", "place": [], "from": "" }]),
        "no place",
    );
    let folder = r#"{"item":[{"name":"a","item":[]}]}"#;
    let twice = json!([moved("/item/0", "/item/0"), moved("/item/0", "/item/0/item/0")]);
    check_refused(folder, twice, "nothing at /item/0/item/0");
    assert!(matches!(apply(b"[]", &Diff::default()), Err(ApplyError::Unreadable(_))));
}

#[test]
fn many_changes_take_no_time() {
    let collection = |order: &mut dyn Iterator<Item = usize>| {
        let items = order.map(|name| format!(r#"{{"name":"{name}","request":"{name}"}}"#));
        format!(r#"{{"item":[{}]}}"#, items.collect::<Vec<_>>().join(","))
    };
    let before = collection(&mut (0..5000));
    let after = collection(&mut (0..10_000).rev().step_by(2));
    let made = apply(before.as_bytes(), &difference(&before, &after)).unwrap();
    assert_eq!(scan(&made).unwrap().canonical, scan(after.as_bytes()).unwrap().canonical);
}
