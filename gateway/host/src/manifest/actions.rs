//! What a plugin can be told to do beside delivering, as its manifest says it.

use serde_json::{Map, Value};

use super::{ManifestError, invalid};

const ACTIONS_MAX: usize = 64;
const NAME_BYTES_MAX: usize = 64;
const EXPECTED: &str = "a list of at most 64 actions { \"name\": lower-case words joined by '_' or '-', each once, \
                        \"title\", \"description\", \"input_schema\", \"output_schema\", \"danger\": true or false }";

/// A named operation of a plugin that people start.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// What the API calls it.
    pub name: String,
    /// What people are shown instead of the name.
    pub title: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of what it takes, an object.
    pub input_schema: Option<Value>,
    /// JSON Schema of what it gives, an object.
    pub output_schema: Option<Value>,
    /// Whether it destroys or overwrites something, so that a person is asked first.
    pub danger: bool,
}

/// Reads the manifest's `actions`.
pub(super) fn read(document: &Map<String, Value>) -> Result<Vec<Action>, ManifestError> {
    let Some(value) = document.get("actions") else { return Ok(Vec::new()) };
    let listed = value.as_array().filter(|listed| listed.len() <= ACTIONS_MAX);
    let actions: Option<Vec<Action>> = listed.and_then(|listed| listed.iter().map(action).collect());
    let actions = actions.ok_or_else(|| invalid("actions", EXPECTED))?;
    let is_twice = |(index, action): (usize, &Action)| {
        actions.iter().take(index).any(|before| before.name == action.name)
    };
    if actions.iter().enumerate().any(is_twice) { Err(invalid("actions", EXPECTED)) } else { Ok(actions) }
}

fn action(value: &Value) -> Option<Action> {
    let members = value.as_object()?;
    let text = |key: &str| match members.get(key) {
        None => Some(None),
        Some(value) => value.as_str().map(|text| Some(text.to_owned())),
    };
    let schema = |key: &str| match members.get(key) {
        None => Some(None),
        Some(value) => value.is_object().then(|| Some(value.clone())),
    };
    let name = members.get("name")?.as_str()?;
    Some(Action {
        name: Some(name).filter(|name| is_name(name))?.to_owned(),
        title: text("title")?,
        description: text("description")?,
        input_schema: schema("input_schema")?,
        output_schema: schema("output_schema")?,
        danger: match members.get("danger") {
            None => false,
            Some(value) => value.as_bool()?,
        },
    })
}

fn is_name(name: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    name.len() <= NAME_BYTES_MAX && name.split(['_', '-']).all(word)
}

#[cfg(test)]
mod tests;
