//! What breaks the callers of operations.

use std::collections::BTreeMap;

use serde_json::Value;

use super::schemas::{Direction, Schemas};

type Operations<'a> = BTreeMap<String, &'a Value>;

/// What a client of `old` trips over when a gateway does as `new` says, a sentence each.
pub(super) fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut schemas = Schemas::new(old, new);
    let (before, now) = (operations(old), operations(new));
    for (at, old) in before {
        match now.get(&at) {
            Some(new) => operation(&mut schemas, &at, old, new),
            None => schemas.found(&at, "is gone"),
        }
    }
    schemas.breaks
}

/// The operations by method and path. What a part of the path is called is no matter of clients'.
fn operations(document: &Value) -> Operations<'_> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let each = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().into_iter().flatten();
        operations.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    });
    each.collect()
}

fn operation(schemas: &mut Schemas<'_>, at: &str, old: &Value, new: &Value) {
    if old["operationId"] != new["operationId"] {
        schemas.found(at, &format!("is called {} now", new["operationId"]));
    }
    security(schemas, at, &old["security"], &new["security"]);
    parameters(schemas, at, &old["parameters"], &new["parameters"]);
    body(schemas, at, &old["requestBody"], &new["requestBody"]);
    let answers = |operation: &'_ Value| -> BTreeMap<String, Value> {
        operation["responses"].as_object().cloned().unwrap_or_default().into_iter().collect()
    };
    let now = answers(new);
    for (status, answer) in answers(old) {
        let at = format!("{at}, answer {status}");
        match now.get(&status) {
            Some(new) => contents(schemas, &at, &answer["content"], &new["content"], Direction::Out),
            None => schemas.found(&at, "is gone"),
        }
    }
    for status in
        now.keys().filter(|status| status.starts_with('2') && old["responses"].get(status).is_none())
    {
        schemas.found(at, &format!("answers {status} too"));
    }
}

/// A credential that was enough is enough.
fn security(schemas: &mut Schemas<'_>, at: &str, old: &Value, new: &Value) {
    let (Some(old), Some(new)) = (old.as_array(), new.as_array()) else { return };
    let is_public = new.is_empty();
    if !is_public && (old.is_empty() || old.iter().any(|scheme| !new.contains(scheme))) {
        schemas.found(at, "wants another credential");
    }
}

fn parameters(schemas: &mut Schemas<'_>, at: &str, old: &Value, new: &Value) {
    let list = |parameters: &Value| parameters.as_array().cloned().unwrap_or_default();
    let (old, new) = (list(old), list(new));
    let same = |a: &Value, b: &Value| a["name"] == b["name"] && a["in"] == b["in"];
    for parameter in &old {
        let at = format!("{at}, parameter {}", parameter["name"]);
        match new.iter().find(|it| same(it, parameter)) {
            Some(now) => {
                if now["required"] == true && parameter["required"] != true {
                    schemas.found(&at, "must be given now");
                }
                schemas.compare(&at, &parameter["schema"], &now["schema"], Direction::In);
            }
            None => schemas.found(&at, "is gone"),
        }
    }
    let fresh = new.iter().filter(|parameter| !old.iter().any(|it| same(it, parameter)));
    for parameter in fresh.filter(|parameter| parameter["required"] == true) {
        schemas.found(at, &format!("must be given the new parameter {}", parameter["name"]));
    }
}

fn body(schemas: &mut Schemas<'_>, at: &str, old: &Value, new: &Value) {
    let at = format!("{at}, body");
    if new["required"] == true && old["required"] != true {
        schemas.found(&at, "must be given now");
    }
    contents(schemas, &at, &old["content"], &new["content"], Direction::In);
}

fn contents(schemas: &mut Schemas<'_>, at: &str, old: &Value, new: &Value, direction: Direction) {
    for (media_type, old) in old.as_object().into_iter().flatten() {
        match new.get(media_type) {
            Some(new) => schemas.compare(at, &old["schema"], &new["schema"], direction),
            None => schemas.found(at, &format!("is no {media_type} any more")),
        }
    }
}
