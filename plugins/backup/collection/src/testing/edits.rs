//! What people and Postman do to a collection between two backups.

use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Value, json};

#[derive(Debug, Clone)]
pub(crate) enum Edit {
    Add(Index, Index, Value),
    Remove(Index),
    Rename(Index, String),
    /// To the end of another folder or to a place in it.
    Move(Index, Index, Index),
    Reorder(Index, Index, Index),
    /// A member of any object becomes another value.
    Change(Index, Value),
    Drop(Index),
    Regenerate,
}

pub(crate) fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let value = prop_oneof![
        Just(json!("other")),
        Just(json!(null)),
        Just(json!({})),
        Just(json!([])),
        Just(json!({ "key": "k", "value": "v" })),
    ];
    let item = prop_oneof![
        "[a-d]".prop_map(|name| json!({ "name": name, "request": { "method": "GET", "url": "new" } })),
        "[a-d]".prop_map(|name| json!({ "name": name, "item": [{ "name": "in it", "request": "x" }] })),
        Just(json!({ "listen": "test", "script": { "exec": ["new"] } })),
        Just(json!(7)),
    ];
    let index = any::<Index>;
    let edit = prop_oneof![
        3 => (index(), index(), item).prop_map(|(list, at, value)| Edit::Add(list, at, value)),
        2 => index().prop_map(Edit::Remove),
        2 => (index(), "[a-f]").prop_map(|(item, name)| Edit::Rename(item, name)),
        3 => (index(), index(), index()).prop_map(|(from, to, at)| Edit::Move(from, to, at)),
        2 => (index(), index(), index()).prop_map(|(list, from, to)| Edit::Reorder(list, from, to)),
        3 => (index(), value).prop_map(|(member, value)| Edit::Change(member, value)),
        1 => index().prop_map(Edit::Drop),
        1 => Just(Edit::Regenerate),
    ];
    vec(edit, 0..6)
}

/// A collection after edits.
pub(crate) fn edited(mut collection: Value, edits: &[Edit]) -> Value {
    for edit in edits {
        match edit {
            Edit::Add(list, at, value) => {
                with(&mut lists(&mut collection), *list, |list| {
                    let at = at.index(list.len() + 1);
                    list.insert(at, value.clone());
                });
            }
            Edit::Remove(list) => {
                with(&mut lists(&mut collection), *list, |list| {
                    drop(list.pop());
                });
            }
            Edit::Rename(member, name) => {
                let mut names = members(&mut collection, &|key| key == "name" || key == "key");
                with(&mut names, *member, |(value, _)| **value = json!(name));
            }
            Edit::Move(from, to, at) => {
                let mut taken = None;
                with(&mut items(&mut collection), *from, |list| {
                    if !list.is_empty() {
                        taken = Some(list.remove(at.index(list.len())));
                    }
                });
                let mut lists = items(&mut collection);
                let target = if lists.is_empty() { None } else { Some(to.index(lists.len())) };
                if let (Some(taken), Some(target)) = (taken, target) {
                    let at = at.index(lists[target].len() + 1);
                    lists[target].insert(at, taken);
                }
            }
            Edit::Reorder(list, from, to) => {
                with(&mut lists(&mut collection), *list, |list| {
                    if !list.is_empty() {
                        let value = list.remove(from.index(list.len()));
                        let to = to.index(list.len() + 1);
                        list.insert(to, value);
                    }
                });
            }
            Edit::Change(member, value) => {
                with(&mut members(&mut collection, &|_| true), *member, |(member, _)| {
                    **member = value.clone()
                });
            }
            Edit::Drop(member) => {
                let mut keys = Vec::new();
                with(&mut members(&mut collection, &|_| true), *member, |(_, pointer)| {
                    keys = std::mem::take(pointer);
                });
                if let Some(last) = keys.pop() {
                    let parent = keys.iter().fold(&mut collection, |value, key| match value {
                        Value::Array(list) => &mut list[key.parse::<usize>().unwrap()],
                        other => other.get_mut(key).unwrap(),
                    });
                    if let Value::Object(object) = parent {
                        object.shift_remove(&last);
                    }
                }
            }
            Edit::Regenerate => collection = with_other_ids(collection),
        }
    }
    collection
}

/// The same collection in a backup that makes every id anew. Written without the code that it tests.
pub(crate) fn with_other_ids(mut collection: Value) -> Value {
    fn scripts(owner: &mut Value) {
        for script in array(owner, "event") {
            renew(script, &["id"]);
            if let Some(source) = script.get_mut("script") {
                renew(source, &["id"]);
            }
        }
    }
    fn variables(owner: &mut Value) {
        for variable in array(owner, "variable").iter_mut().filter(|variable| variable.get("key").is_some()) {
            renew(variable, &["id"]);
        }
    }
    fn request(request: Option<&mut Value>) {
        if let Some(url) = request.and_then(|request| request.get_mut("url")) {
            variables(url);
        }
    }
    fn items(owner: &mut Value) {
        for item in array(owner, "item") {
            renew(item, &["id", "_postman_id", "uid", "updatedAt", "createdAt", "lastUpdatedBy"]);
            if let Some(hidden) = item.get_mut("_") {
                renew(hidden, &["postman_id"]);
            }
            scripts(item);
            variables(item);
            request(item.get_mut("request"));
            for example in array(item, "response") {
                renew(example, &["id", "_postman_id", "uid", "responseTime"]);
                request(example.get_mut("originalRequest"));
            }
            items(item);
        }
    }
    fn array<'a>(owner: &'a mut Value, key: &str) -> &'a mut [Value] {
        owner.get_mut(key).and_then(Value::as_array_mut).map_or(&mut [], |list| &mut list[..])
    }
    fn renew(object: &mut Value, keys: &[&str]) {
        for key in keys {
            if let Some(value) = object.as_object_mut().and_then(|object| object.get_mut(*key)) {
                *value = json!(format!("new-{}", value.to_string().trim_matches('"')));
            }
        }
    }
    if let Some(info) = collection.get_mut("info") {
        renew(info, &["id", "_postman_id", "uid", "updatedAt", "createdAt", "lastUpdatedBy"]);
    }
    scripts(&mut collection);
    variables(&mut collection);
    items(&mut collection);
    collection
}

fn with<T>(all: &mut [T], which: Index, act: impl FnOnce(&mut T)) {
    if !all.is_empty() {
        let at = which.index(all.len());
        act(&mut all[at]);
    }
}

/// Every array that is called as the lists of a collection are.
fn lists(value: &mut Value) -> Vec<&mut Vec<Value>> {
    named(value, &["item", "response", "event", "variable", "header"])
}

fn items(value: &mut Value) -> Vec<&mut Vec<Value>> {
    named(value, &["item"])
}

/// Not those within each other's elements at once: a choice is made first of how deep to look.
fn named<'a>(value: &'a mut Value, keys: &[&str]) -> Vec<&'a mut Vec<Value>> {
    let mut found = Vec::new();
    match value {
        Value::Object(object) => {
            let depth: usize = object.values().map(count).sum();
            for (key, value) in object {
                if keys.contains(&&**key) && value.is_array() && depth.is_multiple_of(2) {
                    found.extend(value.as_array_mut());
                } else {
                    found.extend(named(value, keys));
                }
            }
        }
        Value::Array(list) => found.extend(list.iter_mut().flat_map(|value| named(value, keys))),
        _ => {}
    }
    found
}

fn count(value: &Value) -> usize {
    match value {
        Value::Object(object) => object.values().map(count).sum(),
        Value::Array(list) => list.iter().map(count).sum(),
        _ => 1,
    }
}

/// The values of members that hold no other values, and of empty ones, with the keys that lead to them.
fn members<'a>(value: &'a mut Value, wanted: &dyn Fn(&str) -> bool) -> Vec<(&'a mut Value, Vec<String>)> {
    fn collect<'a>(
        value: &'a mut Value,
        way: &[String],
        wanted: &dyn Fn(&str) -> bool,
        found: &mut Vec<(&'a mut Value, Vec<String>)>,
    ) {
        match value {
            Value::Object(object) => {
                for (key, value) in object {
                    let way = [way, std::slice::from_ref(key)].concat();
                    let is_open = value.as_object().is_some_and(|object| !object.is_empty())
                        || value.as_array().is_some_and(|list| !list.is_empty());
                    if is_open {
                        collect(value, &way, wanted, found);
                    } else if wanted(key) {
                        found.push((value, way));
                    }
                }
            }
            Value::Array(list) => {
                for (at, value) in list.iter_mut().enumerate() {
                    collect(value, &[way, &[at.to_string()]].concat(), wanted, found);
                }
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(value, &[], wanted, &mut found);
    found
}
