//! What a restore would change in Postman.

use serde_json::{Value, json};

use super::error::Error;
use crate::collection::{Diff, Tree, convert_to_v2_1, diff_in_brief, to_value};

/// The difference from what Postman shows to what would be sent. Both are of v2.1.
pub(super) fn compare(present: &[u8], prepared: &[u8]) -> Result<Diff, Error> {
    let (present, prepared) = (comparable(present)?, comparable(prepared)?);
    Ok(diff_in_brief(&Tree::parse(&present)?, &Tree::parse(&prepared)?))
}

fn comparable(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut collection = convert_to_v2_1(to_value(body)?)?;
    addresses(&mut collection);
    serde_json::to_vec(&collection).map_err(|_| Error::Interrupted)
}

/// Postman shows addresses in pieces where a backup often has a text: what a text can say becomes one.
fn addresses(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(url) = object.get_mut("url") {
                as_text(url);
            }
            object.values_mut().filter(|value| value.is_object() || value.is_array()).for_each(addresses);
        }
        Value::Array(list) => list.iter_mut().for_each(addresses),
        _ => {}
    }
}

fn as_text(url: &mut Value) {
    let Some(pieces) = url.as_object() else { return };
    let Some(raw) = pieces.get("raw").and_then(Value::as_str) else { return };
    let is_in_text = |parameter: &Value| {
        parameter.as_object().is_some_and(|it| {
            it.iter().all(|(key, value)| {
                matches!(key.as_str(), "key" | "value" | "equals")
                    || value.is_null()
                    || *value == json!(false)
            })
        })
    };
    let all = |name: &str, is_in_text: &dyn Fn(&Value) -> bool| match pieces.get(name) {
        Some(Value::Array(list)) => list.iter().all(is_in_text),
        None | Some(Value::Null) => true,
        Some(_) => false,
    };
    if all("query", &is_in_text) && all("variable", &|_| false) {
        *url = json!(raw);
    }
}

#[cfg(test)]
mod tests;
