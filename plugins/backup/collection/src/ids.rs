//! Takes out what Postman calls its own.

use serde_json::Value;

use crate::place::{Generated, Place};

/// Takes all generated ids out of a collection, so that it can be restored as a new one: Postman's API refuses the ids of
/// a collection that exists. The `id` of a variable that has no `key` is its name and stays, and so do those of format v1.
pub fn without_ids(collection: &mut Value) {
    let collection = match collection.get("collection").is_some_and(Value::is_object)
        && ["info", "item", "requests", "order"].iter().all(|key| collection.get(key).is_none())
    {
        true => &mut collection["collection"],
        false => collection,
    };
    strip(collection, Place::Collection);
}

fn strip(value: &mut Value, place: Place) {
    match value {
        Value::Object(object) => {
            let place = place.object();
            let has_key = object.contains_key("key");
            object.retain(|key, _| place.generated(key, has_key) != Some(Generated::Id));
            for (key, value) in object {
                strip(value, place.member(key));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| strip(value, place.element())),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
