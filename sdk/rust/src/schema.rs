//! The JSON Schema of a plugin's settings, from the type that holds them.
//!
//! The gateway reads the schema from the plugin's file without running it, and looks only at `properties`,
//! `additionalProperties`, `items`, `allOf`, `anyOf` and `oneOf`. So references are written out, and what a person or a
//! form reads is put where both look for it. What still stands elsewhere fails the test that the attribute makes.

mod reading;

use std::{env, fs, mem, path::Path};

use schemars::{
    JsonSchema, Schema,
    generate::SchemaSettings,
    transform::{Transform, transform_subschemas},
};
use serde_json::{Map, Value};

use crate::{declared, plugin::Plugin};

/// Keywords with a list of schemas for one value, which the gateway follows.
const COMBINED: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// Set, it lets the test that the attribute makes write the file of the schema instead of comparing it.
const UPDATE: &str = "POSTROOM_UPDATE_SCHEMA";

/// The schema of the settings `C`, titled with the plugin's name.
pub(crate) fn of<C: JsonSchema>(title: &str) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.inline_subschemas = true);
    let mut schema = settings.into_generator().into_root_schema_for::<C>();
    // It is the plugin that is described, not its Rust type.
    schema.insert("title".to_owned(), title.into());
    schema.remove("description");
    Plain.transform(&mut schema);
    schema.into()
}

/// Holds the file of a plugin's schema to the type of its settings, or writes it when [`UPDATE`] is set.
///
/// # Panics
///
/// When the file is out of date, or cannot be read or written; and when the type has something that the gateway would read
/// in another way than it is meant.
#[doc(hidden)]
pub fn check_schema_file<P: Plugin>(file: &str) {
    let manifest = P::DECLARED.manifest().unwrap_or_default();
    let name = manifest["name"].clone();
    // The file is part of the manifest: broken, it would take the plugin's name with it.
    assert!(name.is_string(), "{file} is not JSON: write {{}} into it and run {UPDATE}=1 cargo test");
    let schema = declared::schema_of(&P::DECLARED, &manifest).unwrap_or_default();
    let faults = reading::faults(&schema, &manifest);
    assert!(
        faults.is_empty(),
        "the gateway cannot read these settings as they are meant:\n{}",
        faults.join("\n")
    );
    hold(file, &schema, "the type of the settings says");
}

/// Holds the file of a plugin's actions to the code, or writes it when [`UPDATE`] is set.
///
/// # Panics
///
/// When the file is out of date, or cannot be read or written; and when the gateway would not take the actions.
#[doc(hidden)]
pub fn check_actions_file<P: Plugin>(file: &str) {
    let actions = P::actions().describe().unwrap_or_else(|| Value::Array(Vec::new()));
    let mut names: Vec<&str> =
        actions.as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()).collect();
    for name in &names {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        let fits = name.len() <= 64 && name.split(['_', '-']).all(word);
        assert!(
            fits,
            "{name:?} is no name for an action: write lower-case words joined by `-` or `_`, at most 64 bytes"
        );
    }
    names.sort_unstable();
    let twice = names.windows(2).find(|pair| pair[0] == pair[1]);
    assert!(twice.is_none(), "two actions have the same name: {twice:?}");
    hold(file, &actions, "`Plugin::actions` says");
}

fn hold(file: &str, value: &Value, what: &str) {
    let expected = format!("{value:#}\n");
    if env::var_os(UPDATE).is_some() {
        fs::write(Path::new(file), expected)
            .unwrap_or_else(|error| panic!("{file} cannot be written: {error}"));
        return;
    }
    let found = fs::read_to_string(file).unwrap_or_else(|error| panic!("{file} cannot be read: {error}"));
    assert!(
        found == expected,
        "{file} is not what {what}: run {UPDATE}=1 cargo test to write it, and look at \
         the difference.\nexpected:\n{expected}"
    );
}

/// Puts a schema into the form that the gateway and people read, from the inside out.
#[derive(Debug)]
struct Plain;

impl Transform for Plain {
    fn transform(&mut self, schema: &mut Schema) {
        transform_subschemas(self, schema);
        plain(schema);
    }
}

fn plain(schema: &mut Schema) {
    let Some(members) = schema.as_object_mut() else { return };
    without_null(members);
    if let Some(Value::String(text)) = members.get_mut("description") {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    words(members);
    close(members);
    in_order(members);
}

/// What is not named is refused when the settings are read.
fn close(members: &mut Map<String, Value>) {
    let open =
        !members.contains_key("additionalProperties") && !members.contains_key("unevaluatedProperties");
    if !members.contains_key("properties") || !open {
        return;
    }
    let chooses = COMBINED.iter().any(|word| members.contains_key(*word));
    let word = if chooses { "unevaluatedProperties" } else { "additionalProperties" };
    open_choices(members);
    members.insert(word.to_owned(), false.into());
}

/// Lets each choice be met by what also has other members. `additionalProperties` sees the names beside itself alone: in a
/// choice that a field was flattened to, it would refuse those of all other fields.
fn open_choices(members: &mut Map<String, Value>) {
    for word in COMBINED {
        for choice in members.get_mut(word).and_then(Value::as_array_mut).into_iter().flatten() {
            let Some(choice) = choice.as_object_mut() else { continue };
            for closing in ["additionalProperties", "unevaluatedProperties"] {
                if choice.get(closing) == Some(&Value::Bool(false)) {
                    choice.remove(closing);
                }
            }
            open_choices(choice);
        }
    }
}

/// What people look for stands first, and what is inside last, whatever made the schema.
fn in_order(members: &mut Map<String, Value>) {
    const FIRST: [&str; 9] =
        ["$schema", "title", "description", "type", "format", "enum", "const", "default", "writeOnly"];
    const LAST: [&str; 4] = ["properties", "required", "additionalProperties", "unevaluatedProperties"];
    let place = |key: &str| {
        let first = FIRST.iter().position(|first| *first == key);
        let last = LAST.iter().position(|last| *last == key).map(|at| FIRST.len() + 1 + at);
        first.or(last).unwrap_or(FIRST.len())
    };
    let mut sorted: Vec<_> = mem::take(members).into_iter().collect();
    sorted.sort_by_key(|(key, _)| place(key));
    members.extend(sorted);
}

/// TOML has no null: what may be left out says so by not being required.
fn without_null(members: &mut Map<String, Value>) {
    if members.get("default") == Some(&Value::Null) {
        members.remove("default");
    }
    if let Some(Value::Array(types)) = members.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            members.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(values)) = members.get_mut("enum") {
        values.retain(|value| !value.is_null());
    }
    if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if choices.len() == 1
            && let Some(Value::Object(only)) = choices.pop()
        {
            members.remove("anyOf");
            for (key, value) in only {
                members.entry(key).or_insert(value);
            }
        }
    }
}

/// A choice between documented words is also an `enum`, which more readers understand.
fn words(members: &mut Map<String, Value>) {
    let Some(Value::Array(choices)) = members.get("oneOf") else { return };
    let words: Vec<Value> = choices
        .iter()
        .flat_map(|choice| match (&choice["const"], &choice["enum"]) {
            (Value::String(word), _) => vec![Value::from(word.as_str())],
            (_, Value::Array(words)) => words.clone(),
            _ => vec![Value::Null],
        })
        .collect();
    if !words.is_empty() && words.iter().all(Value::is_string) {
        members.insert("type".to_owned(), "string".into());
        members.insert("enum".to_owned(), words.into());
    }
}

#[cfg(test)]
mod tests;
