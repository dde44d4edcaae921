use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Diff, Room, compare, diff, diff_in_brief};
use crate::{
    ApplyError, Tree, apply, scan,
    testing::{collections, corpus, edited, edits, with_other_ids},
};

/// The difference as it is after a way through JSON.
fn difference(before: &[u8], after: &[u8]) -> Diff {
    let diff = diff(&Tree::parse(before).unwrap(), &Tree::parse(after).unwrap());
    serde_json::from_str(&serde_json::to_string(&diff).unwrap()).unwrap()
}

#[track_caller]
fn check_applied(before: &[u8], after: &[u8]) {
    let diff = difference(before, after);
    let [old, new] = [before, after].map(|bytes| scan(bytes).unwrap().canonical);
    let shown = || serde_json::to_string_pretty(&diff).unwrap();
    assert_eq!(diff.is_empty(), old == new, "{}", shown());
    let made = apply(before, &diff).unwrap_or_else(|error| panic!("{error}: {}", shown()));
    assert!(
        scan(&made).unwrap().canonical == new,
        "{}\nmade   {}\nwanted {}",
        shown(),
        String::from_utf8_lossy(&made),
        String::from_utf8_lossy(after)
    );
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

proptest! {
    #[test]
    fn applied_it_gives_what_was_edited(collection in collections(), edits in edits()) {
        check_applied(&bytes(&collection), &bytes(&edited(collection, &edits)));
    }

    #[test]
    fn applied_it_gives_any_other_collection(one in collections(), other in collections()) {
        check_applied(&bytes(&one), &bytes(&other));
    }

    #[test]
    fn of_other_ids_there_is_none(collection in collections()) {
        let other = with_other_ids(collection.clone());
        prop_assert!(difference(&bytes(&collection), &bytes(&other)).is_empty());
    }
}

#[test]
fn applied_it_gives_any_other_real_collection() {
    let corpus = corpus();
    for (_, before) in &corpus {
        for (_, after) in &corpus {
            check_applied(before, after);
        }
    }
}

/// What is told, line by line and without fields.
#[track_caller]
fn check(before: &Value, after: &Value, expected: &[&str]) {
    check_applied(&bytes(before), &bytes(after));
    let text = difference(&bytes(before), &bytes(after)).text();
    let told: Vec<&str> = text.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(told, expected);
}

fn request(id: &str, name: &str, url: &str) -> Value {
    json!({ "id": id, "name": name, "request": { "method": "GET", "header": [], "url": url }, "response": [] })
}

fn folder(id: &str, name: &str, items: &[Value]) -> Value {
    json!({ "id": id, "name": name, "item": items })
}

fn collection(items: &[Value]) -> Value {
    json!({ "info": { "name": "c" }, "item": items })
}

#[test]
fn an_id_that_stays_tells_everything() {
    let before = collection(&[
        folder("f", "old", &[request("1", "a", "x"), request("2", "b", "y")]),
        folder("g", "other", &[]),
    ]);
    let after = collection(&[
        folder("g", "other", &[request("1", "new name", "new address")]),
        folder("f", "new", &[request("2", "b", "y")]),
    ]);
    check(
        &before,
        &after,
        &[
            "> folder other, within its list",
            "> request other › new name, from old",
            "~ request other › new name, was a",
            "~ request other › new name",
            "~ folder new, was old",
        ],
    );
}

#[test]
fn with_other_ids_parts_are_known_again() {
    let [a, b, c] = ["a", "b", "c"];
    let requests = |ids: [&str; 3]| {
        [request(ids[0], a, "https://example.com/a"), request(ids[1], b, "y"), request(ids[2], c, "z")]
    };
    let before = collection(&[folder("f", "old", &requests(["1", "2", "3"])), folder("g", "empty", &[])]);

    let renamed = collection(&[folder("h", "new", &requests(["4", "5", "6"])), folder("i", "empty", &[])]);
    check(&before, &renamed, &["~ folder new, was old"]);

    let moved = collection(&[
        folder("h", "old", &requests(["4", "5", "6"])[1..]),
        folder("i", "empty", &requests(["4", "5", "6"])[..1]),
    ]);
    check(&before, &moved, &["> request empty › a, from old"]);

    let mut requests = requests(["4", "5", "6"]);
    requests[0]["name"] = json!("new");
    requests[1]["request"]["method"] = json!("POST");
    requests.swap(0, 2);
    let edited = collection(&[folder("h", "old", &requests), folder("i", "empty", &[])]);
    check(
        &before,
        &edited,
        &[
            "> request old › c, within its list",
            "> request old › b, within its list",
            "~ request old › b",
            "~ request old › new, was a",
        ],
    );
}

#[test]
fn of_many_with_one_name_only_the_new_one_is_told() {
    let requests = |urls: &[&str]| -> Vec<Value> {
        urls.iter().map(|url| json!({ "name": "same", "request": { "method": "GET", "url": url } })).collect()
    };
    let before = collection(&requests(&["1", "2", "2", "3", "4"]));
    check(&before, &collection(&requests(&["0", "1", "2", "2", "3", "4"])), &["+ request same"]);
    check(&before, &collection(&requests(&["1", "2", "3", "4"])), &["- request same"]);
}

#[test]
fn the_parts_of_a_request_are_told() {
    let mut before = request("1", "a", "x");
    before["event"] = json!([{ "listen": "test", "script": { "id": "7", "exec": ["a"] } }]);
    before["response"] =
        json!([{ "name": "fine", "code": 200, "body": "{}" }, { "name": "gone", "code": 404 }]);
    let mut after = before.clone();
    after["event"] = json!([
        { "listen": "prerequest", "script": { "id": "8", "exec": ["b"] } },
        { "listen": "test", "script": { "id": "9", "exec": ["a"] } },
    ]);
    after["response"] =
        json!([{ "name": "moved", "code": 301 }, { "name": "fine", "code": 200, "body": "[]" }]);
    after["request"]["auth"] = json!({ "type": "noauth" });
    let expected = [
        "+ authorization a",
        "+ example a › moved",
        "~ example a › fine",
        "+ script a › prerequest",
        "- example a › gone",
    ];
    check(&collection(&[before.clone()]), &collection(&[after.clone()]), &expected);
    let mut variables = collection(&[]);
    variables["variable"] =
        json!([{ "key": "a", "value": "1" }, { "key": "b", "value": "https://example.com" }]);
    let mut others = variables.clone();
    others["variable"] =
        json!([{ "key": "c", "value": "https://example.com" }, { "key": "a", "value": "2" }]);
    let expected = ["> variable c, within its list", "~ variable c, was b", "~ variable a"];
    check(&variables, &others, &expected);
}

#[test]
fn a_folder_is_no_request() {
    let before = collection(&[json!({ "id": "1", "name": "a", "request": "x" })]);
    let after = collection(&[folder("1", "a", &[request("2", "a", "x")])]);
    check(&before, &after, &["+ folder a", "+ request a › a", "- request a"]);
}

/// What is an id beside a `key` is a name without one.
#[test]
fn the_id_of_a_variable_counts_when_it_is_its_name() {
    let with = |variable: Value| json!({ "variable": [variable] });
    let variables = [
        json!({ "id": "1", "value": "v" }),
        json!({ "id": "2", "value": "v" }),
        json!({ "key": "k", "id": "1", "value": "v" }),
        json!({ "key": "k", "id": "2", "value": "v" }),
        json!({ "key": "k", "value": "v" }),
        json!({ "value": "v" }),
    ];
    for before in &variables {
        for after in &variables {
            check_applied(&bytes(&with(before.clone())), &bytes(&with(after.clone())));
            let url = |variable: &Value| {
                collection(&[json!({ "name": "a", "request": { "url": { "variable": [variable] } } })])
            };
            check_applied(&bytes(&url(before)), &bytes(&url(after)));
        }
    }
}

#[test]
fn format_v1_is_told_in_flat_lists() {
    let before = json!({ "id": "c", "order": ["1"], "folders": [], "requests": [
        { "id": "1", "name": "a", "url": "x", "updatedAt": 1 }
    ] });
    let after = json!({ "id": "c", "order": ["1", "2"], "folders": [], "requests": [
        { "id": "1", "name": "a", "url": "y", "updatedAt": 2 }, { "id": "2", "name": "b" }
    ] });
    check(&before, &after, &["~ collection", "~ request a", "+ request b"]);
}

#[test]
fn in_brief_later_changes_have_no_parts_and_then_are_counted() {
    let item = |name: &str| json!({ "name": name, "request": { "url": "https://shop.example.com/" } });
    let before = bytes(&json!({ "info": { "name": "Shop" }, "item": [item("a")] }));
    let items: Vec<_> = ["a", "first", "second", "third"].map(item).into();
    let after = bytes(&json!({ "info": { "name": "Shop" }, "item": items }));
    let (before, after) = (Tree::parse(&before).unwrap(), Tree::parse(&after).unwrap());
    let whole = serde_json::to_value(diff(&before, &after)).unwrap();
    assert_eq!(serde_json::to_value(diff_in_brief(&before, &after)).unwrap(), whole);

    let first = diff(&before, &after).changes[0].bytes();
    let room = Room { value: 1, parts: item("first").to_string().len(), texts: first + 1 };
    let brief = compare(&before, &after, room);
    let told: Vec<_> = brief.changes.iter().map(|it| (it.place.concat(), it.value.is_some())).collect();
    assert_eq!(told, [("first".to_owned(), true), ("second".to_owned(), false)]);
    assert_eq!(brief.counted(), 1);
    assert_eq!(brief.summary(), "3 requests added");
}

#[test]
fn in_brief_it_may_be_nothing_but_a_number() {
    let collection = |name: &str| bytes(&json!({ "info": { "name": "Shop" }, "item": [{ "name": name }] }));
    let (before, after) = (collection("a"), collection("b"));
    let (before_tree, after_tree) = (Tree::parse(&before).unwrap(), Tree::parse(&after).unwrap());
    let brief = compare(&before_tree, &after_tree, Room { value: 0, parts: 0, texts: 0 });
    assert!(brief.changes.is_empty() && !brief.is_empty());
    assert_eq!(brief.summary(), diff(&before_tree, &after_tree).summary());
    assert!(matches!(apply(&before, &brief), Err(ApplyError::Incomplete { .. })));
}

#[test]
fn in_brief_what_is_too_long_is_not_shown() {
    let collection = |url: &str| {
        let request = json!({ "method": "GET", "url": url, "auth": { "type": "noauth" } });
        bytes(&json!({ "info": { "name": "Shop" }, "item": [{ "name": "a", "request": request }] }))
    };
    let (before, after) = (collection("short"), collection("a long address"));
    let (before, after) = (Tree::parse(&before).unwrap(), Tree::parse(&after).unwrap());
    let brief = compare(&before, &after, Room { value: 10, parts: 0, texts: usize::MAX });
    assert_eq!(brief.text(), "~ request a\n    url: too long to be shown\n");
    assert_eq!(
        brief.markdown(),
        "- Changed request **a**\n  ```diff\n    url: too long to be shown\n  ```\n"
    );
}
