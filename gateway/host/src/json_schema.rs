//! Looks whether a value fits a JSON Schema, as far as the gateway has to know before it hands the value on.
//!
//! What is checked is what forms and most schemas are made of. A keyword that is not known here is passed over: the plugin
//! checks what it is given too, and says more. `$ref` and patterns are not followed.

mod form;

use std::mem;

use serde_json::{Map, Value};

pub(crate) use self::form::form_faults;
use crate::config_fault::ConfigFault;

/// Most faults that are told: nobody reads more.
const FAULTS_MAX: usize = 16;
/// Most steps of a check, a few nanoseconds each: a pair of a value and a schema, a word that a value is compared with, a
/// stretch of a text. Both may come from strangers.
const STEPS_MAX: usize = 5_000_000;
/// A text takes one step for so many bytes.
const STEP_BYTES: usize = 64;
/// Most words of an `enum` that are told.
const WORDS_MAX: usize = 20;
/// Longest word, and longest path, that is told.
const SHOWN_CHARS_MAX: usize = 200;

/// All that speaks against `value`; empty when it fits. May take some tens of milliseconds.
pub(crate) fn faults(value: &Value, schema: &Value) -> Vec<ConfigFault> {
    let mut check = Check { path: Vec::new(), faults: Vec::new(), found: 0, aside: false, steps: 0 };
    check.visit(value, schema);
    if check.steps > STEPS_MAX {
        check.faults = vec![fault("", "too much to be checked against the schema")];
    }
    check.faults
}

/// One step down into a value.
#[derive(Debug, Clone, Copy)]
enum Key<'v> {
    Member(&'v str),
    Item(usize),
}

struct Check<'v> {
    /// Where the value is that is looked at. Written out for a fault only: its keys may be long.
    path: Vec<Key<'v>>,
    faults: Vec<ConfigFault>,
    /// How many there were since the check, or the look at one of several forms, began.
    found: usize,
    /// It looks at one of several forms: of faults matters only whether there are any.
    aside: bool,
    steps: usize,
}

impl<'v> Check<'v> {
    fn visit(&mut self, value: &'v Value, schema: &Value) {
        self.steps += 1;
        if self.is_over() {
            return;
        }
        let Value::Object(schema) = schema else {
            // `false` takes nothing, and `true` everything.
            if *schema == false {
                self.add("is not taken here");
            }
            return;
        };
        if let Some(expected) = schema.get("type").filter(|expected| !is_of_type(value, expected)) {
            // What else there is to say speaks of the type that was expected.
            return self.add_with(|| format!("expected {}", type_in_words(expected)));
        }
        self.words(value, schema);
        match value {
            Value::Number(number) => self.number(number.as_f64().unwrap_or_default(), schema),
            Value::String(text) => {
                if schema.contains_key("minLength") || schema.contains_key("maxLength") {
                    self.steps += text.len() / STEP_BYTES;
                    self.count(text.chars().count(), ("minLength", "maxLength"), "characters", schema);
                }
            }
            Value::Array(items) => {
                self.count(items.len(), ("minItems", "maxItems"), "items", schema);
                if let Some(of_items) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.visit_below(Key::Item(index), item, of_items);
                    }
                }
            }
            Value::Object(members) => self.members(members, schema),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(value, schema);
    }

    fn visit_below(&mut self, key: Key<'v>, value: &'v Value, schema: &Value) {
        if self.is_over() {
            return;
        }
        self.path.push(key);
        self.visit(value, schema);
        self.path.pop();
    }

    /// Whether nothing more is looked at.
    fn is_over(&self) -> bool {
        let faults_max = if self.aside { 1 } else { FAULTS_MAX };
        self.steps > STEPS_MAX || self.found >= faults_max
    }

    fn words(&mut self, value: &Value, schema: &Map<String, Value>) {
        if let Some(words) = schema.get("enum").and_then(Value::as_array)
            && !words.iter().any(|word| self.are_equal(word, value))
        {
            self.add_with(|| {
                let told: Vec<String> = words.iter().take(WORDS_MAX).map(shown).collect();
                let more = if words.len() > WORDS_MAX { ", …" } else { "" };
                format!("expected one of {}{more}", told.join(", "))
            });
        }
        if let Some(only) = schema.get("const")
            && !self.are_equal(only, value)
        {
            self.add_with(|| format!("expected {}", shown(only)));
        }
    }

    /// As `==`, with a bound: as long as there are steps left.
    fn are_equal(&mut self, a: &Value, b: &Value) -> bool {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return false;
        }
        match (a, b) {
            (Value::String(a), Value::String(b)) => {
                if a.len() == b.len() {
                    self.steps += a.len() / STEP_BYTES;
                }
                a == b
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| self.are_equal(a, b))
            }
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().zip(b).all(|((key, a), (other_key, b))| {
                        self.steps += key.len() / STEP_BYTES;
                        key == other_key && self.are_equal(a, b)
                    })
            }
            _ => a == b,
        }
    }

    fn number(&mut self, number: f64, schema: &Map<String, Value>) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        for (key, words, holds) in [
            ("minimum", "at least", (|number, bound| number >= bound) as fn(f64, f64) -> bool),
            ("maximum", "at most", |number, bound| number <= bound),
            ("exclusiveMinimum", "more than", |number, bound| number > bound),
            ("exclusiveMaximum", "less than", |number, bound| number < bound),
        ] {
            if let Some(bound) = bound(key).filter(|bound| !holds(number, *bound)) {
                self.add_with(|| format!("expected {words} {bound}"));
            }
        }
    }

    fn count(&mut self, count: usize, (least, most): (&str, &str), what: &str, schema: &Map<String, Value>) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if let Some(least) = bound(least).filter(|least| count < *least) {
            self.add_with(|| format!("expected at least {least} {what}"));
        }
        if let Some(most) = bound(most).filter(|most| count > *most) {
            self.add_with(|| format!("expected at most {most} {what}"));
        }
    }

    fn members(&mut self, members: &'v Map<String, Value>, schema: &Map<String, Value>) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            self.steps += 1;
            if self.is_over() {
                return;
            }
            if !members.contains_key(name) {
                self.add_at(|check| below(&check.path(), name), || "is missing".to_owned());
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        // With patterns, which are not looked at, nobody can tell which members are others.
        let others = others.filter(|_| !schema.contains_key("patternProperties"));
        for (name, member) in members {
            self.steps += 1;
            let key = Key::Member(name);
            match (known.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.visit_below(key, member, schema),
                (None, Some(Value::Bool(false))) => {
                    self.path.push(key);
                    self.add("there is no such member");
                    self.path.pop();
                }
                (None, Some(schema)) => self.visit_below(key, member, schema),
                (None, None) => {}
            }
        }
    }

    fn combined(&mut self, value: &'v Value, schema: &Map<String, Value>) {
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.visit(value, schema);
        }
        if let Some(choices) = list("anyOf") {
            let fits = choices.iter().any(|choice| self.fits(value, choice));
            if !fits {
                self.add("fits none of the forms that it may have");
            }
        }
        if let Some(choices) = list("oneOf") {
            let fits = choices.iter().filter(|choice| self.fits(value, choice)).count();
            if fits != 1 {
                let many = if fits == 0 { "none" } else { "more than one" };
                self.add_with(|| format!("fits {many} of the forms that it may have"));
            }
        }
        if let Some(refused) = schema.get("not")
            && self.fits(value, refused)
        {
            self.add("has a form that it may not have");
        }
    }

    fn fits(&mut self, value: &'v Value, schema: &Value) -> bool {
        let before = (mem::replace(&mut self.found, 0), mem::replace(&mut self.aside, true));
        self.visit(value, schema);
        let fits = self.found == 0;
        (self.found, self.aside) = before;
        fits
    }

    fn add(&mut self, message: &str) {
        self.add_with(|| message.to_owned());
    }

    fn add_with(&mut self, message: impl FnOnce() -> String) {
        self.add_at(Self::path, message);
    }

    fn add_at(&mut self, path: impl FnOnce(&Self) -> String, message: impl FnOnce() -> String) {
        self.found += 1;
        if !self.aside && self.faults.len() < FAULTS_MAX {
            let path = cut(path(self));
            self.faults.push(ConfigFault { path, message: message() });
        }
    }

    fn path(&self) -> String {
        self.path.iter().fold(String::new(), |path, key| match key {
            Key::Member(name) => below(&path, name),
            Key::Item(index) => below(&path, &index.to_string()),
        })
    }
}

/// A word of a schema as it is told.
fn shown(word: &Value) -> String {
    cut(word.to_string())
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(SHOWN_CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

fn fault(path: &str, message: &str) -> ConfigFault {
    ConfigFault { path: path.to_owned(), message: message.to_owned() }
}

fn is_of_type(value: &Value, expected: &Value) -> bool {
    match expected {
        Value::String(name) => match name.as_str() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => {
                value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
            }
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            // Not a word of JSON Schema: then it is no check.
            _ => true,
        },
        Value::Array(names) => names.iter().any(|name| is_of_type(value, name)),
        _ => true,
    }
}

fn type_in_words(expected: &Value) -> String {
    match expected {
        Value::Array(names) => names.iter().map(type_in_words).collect::<Vec<_>>().join(" or "),
        Value::String(name) => match name.as_str() {
            "null" => "null",
            "boolean" => "true or false",
            "integer" => "a whole number",
            "number" => "a number",
            "string" => "a text",
            "array" => "a list",
            "object" => "an object",
            other => other,
        }
        .to_owned(),
        other => other.to_string(),
    }
}

fn below(path: &str, key: &str) -> String {
    format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests;
