//! Looks whether a value fits a JSON Schema, as far as the gateway has to know before it hands the value on.
//!
//! What is checked is what forms and most schemas are made of. A keyword that is not known here is passed over: the plugin
//! checks what it is given too, and says more. `$ref` and patterns are not followed.

use serde_json::{Map, Value};

use crate::config_fault::ConfigFault;

/// Most faults that are told: nobody reads more.
const FAULTS_MAX: usize = 16;
/// Most pairs of a value and a schema that are looked at. Both may come from strangers.
const STEPS_MAX: u32 = 500_000;

/// All that speaks against `value`; empty when it fits.
pub(crate) fn faults(value: &Value, schema: &Value) -> Vec<ConfigFault> {
    let mut check = Check { faults: Vec::new(), steps: 0 };
    check.visit(value, schema, "");
    if check.steps > STEPS_MAX {
        check.faults = vec![fault("", "too much to be checked against the schema")];
    }
    check.faults
}

struct Check {
    faults: Vec<ConfigFault>,
    steps: u32,
}

impl Check {
    fn visit(&mut self, value: &Value, schema: &Value, path: &str) {
        self.steps += 1;
        if self.steps > STEPS_MAX || self.faults.len() >= FAULTS_MAX {
            return;
        }
        let Value::Object(schema) = schema else {
            // `false` takes nothing, and `true` everything.
            if *schema == false {
                self.add(path, "is not taken here");
            }
            return;
        };
        if let Some(expected) = schema.get("type").filter(|expected| !is_of_type(value, expected)) {
            // What else there is to say speaks of the type that was expected.
            return self.add(path, &format!("expected {}", type_in_words(expected)));
        }
        self.words(value, schema, path);
        match value {
            Value::Number(number) => self.number(number.as_f64().unwrap_or_default(), schema, path),
            Value::String(text) => {
                self.count(text.chars().count(), ("minLength", "maxLength"), "characters", schema, path);
            }
            Value::Array(items) => {
                self.count(items.len(), ("minItems", "maxItems"), "items", schema, path);
                if let Some(of_items) = schema.get("items") {
                    for (index, item) in items.iter().enumerate() {
                        self.visit(item, of_items, &below(path, &index.to_string()));
                    }
                }
            }
            Value::Object(members) => self.members(members, schema, path),
            Value::Null | Value::Bool(_) => {}
        }
        self.combined(value, schema, path);
    }

    fn words(&mut self, value: &Value, schema: &Map<String, Value>, path: &str) {
        if let Some(words) = schema.get("enum").and_then(Value::as_array)
            && !words.contains(value)
        {
            let words: Vec<String> = words.iter().map(Value::to_string).collect();
            self.add(path, &format!("expected one of {}", words.join(", ")));
        }
        if let Some(only) = schema.get("const").filter(|only| *only != value) {
            self.add(path, &format!("expected {only}"));
        }
    }

    fn number(&mut self, number: f64, schema: &Map<String, Value>, path: &str) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_f64);
        for (key, words, holds) in [
            ("minimum", "at least", (|number, bound| number >= bound) as fn(f64, f64) -> bool),
            ("maximum", "at most", |number, bound| number <= bound),
            ("exclusiveMinimum", "more than", |number, bound| number > bound),
            ("exclusiveMaximum", "less than", |number, bound| number < bound),
        ] {
            if let Some(bound) = bound(key).filter(|bound| !holds(number, *bound)) {
                self.add(path, &format!("expected {words} {bound}"));
            }
        }
    }

    fn count(
        &mut self,
        count: usize,
        (least, most): (&str, &str),
        what: &str,
        schema: &Map<String, Value>,
        path: &str,
    ) {
        let bound = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if let Some(least) = bound(least).filter(|least| count < *least) {
            self.add(path, &format!("expected at least {least} {what}"));
        }
        if let Some(most) = bound(most).filter(|most| count > *most) {
            self.add(path, &format!("expected at most {most} {what}"));
        }
    }

    fn members(&mut self, members: &Map<String, Value>, schema: &Map<String, Value>, path: &str) {
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            if !members.contains_key(name) {
                self.add(&below(path, name), "is missing");
            }
        }
        let known = schema.get("properties").and_then(Value::as_object);
        let others = schema.get("additionalProperties");
        // With patterns, which are not looked at, nobody can tell which members are others.
        let others = others.filter(|_| !schema.contains_key("patternProperties"));
        for (name, member) in members {
            match (known.and_then(|known| known.get(name)), others) {
                (Some(schema), _) => self.visit(member, schema, &below(path, name)),
                (None, Some(Value::Bool(false))) => self.add(&below(path, name), "there is no such member"),
                (None, Some(schema)) => self.visit(member, schema, &below(path, name)),
                (None, None) => {}
            }
        }
    }

    fn combined(&mut self, value: &Value, schema: &Map<String, Value>, path: &str) {
        let list = |key: &str| schema.get(key).and_then(Value::as_array);
        for schema in list("allOf").into_iter().flatten() {
            self.visit(value, schema, path);
        }
        if let Some(choices) = list("anyOf") {
            let fits = choices.iter().any(|choice| self.fits(value, choice));
            if !fits {
                self.add(path, "fits none of the forms that it may have");
            }
        }
        if let Some(choices) = list("oneOf") {
            let fits = choices.iter().filter(|choice| self.fits(value, choice)).count();
            if fits != 1 {
                let many = if fits == 0 { "none" } else { "more than one" };
                self.add(path, &format!("fits {many} of the forms that it may have"));
            }
        }
        if let Some(refused) = schema.get("not")
            && self.fits(value, refused)
        {
            self.add(path, "has a form that it may not have");
        }
    }

    fn fits(&mut self, value: &Value, schema: &Value) -> bool {
        let mut inner = Check { faults: Vec::new(), steps: self.steps };
        inner.visit(value, schema, "");
        self.steps = inner.steps;
        inner.faults.is_empty()
    }

    fn add(&mut self, path: &str, message: &str) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault(path, message));
        }
    }
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
