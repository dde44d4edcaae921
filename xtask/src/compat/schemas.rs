//! What breaks who writes or reads a value.

use std::collections::{BTreeMap, HashSet};

use serde_json::Value;

/// Which way a value goes, as the client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Direction {
    /// To the gateway: what was taken must be taken.
    In,
    /// From the gateway: what comes must be what was said.
    Out,
}

/// Two documents, and what was found between them.
pub(super) struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    pub(super) breaks: Vec<String>,
    /// Each pair of named schemas is looked at once in each direction: they may hold themselves.
    seen: HashSet<(String, String, Direction)>,
}

impl<'a> Schemas<'a> {
    pub(super) fn new(old: &'a Value, new: &'a Value) -> Self {
        Self { old, new, breaks: Vec::new(), seen: HashSet::new() }
    }

    pub(super) fn found(&mut self, at: &str, what: &str) {
        self.breaks.push(format!("{at}: {what}"));
    }

    /// Compares what a value was with what it is.
    pub(super) fn compare(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        if let (Some(old), Some(new)) = (reference(old), reference(new)) {
            let pair = (old.to_owned(), new.to_owned(), direction);
            if !self.seen.insert(pair) {
                return;
            }
        }
        let at = reference(old).and_then(|reference| reference.rsplit('/').next()).unwrap_or(at);
        let (before, now) = (resolve(self.old, old), resolve(self.new, new));
        for key in ["type", "format", "pattern"] {
            if before[key] != now[key] {
                self.found(at, &format!("{key} was {} and is {}", before[key], now[key]));
            }
        }
        self.words(at, before, now, direction);
        self.bounds(at, before, now, direction);
        self.fields(at, before, now, direction);
        self.union(at, before, now, direction);
        for inner in ["items", "additionalProperties"] {
            if before[inner].is_object() && now[inner].is_object() {
                self.compare(at, &before[inner], &now[inner], direction);
            }
        }
    }

    /// Who writes may say what could be said; who reads meets nothing but what could come.
    fn words(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        let (wide, narrow) = match direction {
            Direction::In => (old, new),
            Direction::Out => (new, old),
        };
        let Some(allowed) = narrow["enum"].as_array() else { return };
        let is_narrower = match wide["enum"].as_array() {
            Some(words) => words.iter().any(|word| !allowed.contains(word)),
            None => true,
        };
        if is_narrower {
            self.found(at, &format!("words were {} and are {}", old["enum"], new["enum"]));
        }
    }

    fn bounds(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        let (wide, narrow) = match direction {
            Direction::In => (old, new),
            Direction::Out => (new, old),
        };
        let lower = ["minimum", "minLength", "minItems"].map(|key| (key, 1.0));
        let upper = ["maximum", "maxLength", "maxItems"].map(|key| (key, -1.0));
        for (key, sign) in lower.into_iter().chain(upper) {
            let Some(bound) = narrow[key].as_f64() else { continue };
            if wide[key].as_f64().is_none_or(|wide| sign * wide < sign * bound) {
                self.found(at, &format!("{key} was {} and is {}", old[key], new[key]));
            }
        }
        let is_null_new = match direction {
            Direction::In => old["nullable"] == true && new["nullable"] != true,
            Direction::Out => old["nullable"] != true && new["nullable"] == true,
        };
        if is_null_new {
            self.found(at, "null is not what it was");
        }
    }

    fn fields(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        let is_required = |schema: &Value, name: &str| {
            schema["required"].as_array().is_some_and(|required| required.iter().any(|it| it == name))
        };
        let fields = |schema: &Value| -> BTreeMap<String, Value> {
            schema["properties"].as_object().cloned().unwrap_or_default().into_iter().collect()
        };
        let now = fields(new);
        for (name, field) in fields(old) {
            let at = format!("{at}.{name}");
            match now.get(&name) {
                Some(now) => self.compare(&at, &field, now, direction),
                None => self.found(&at, "is gone"),
            }
            let (was, is) = (is_required(old, &name), is_required(new, &name));
            match direction {
                Direction::In if is && !was => self.found(&at, "must be given now"),
                Direction::Out if was && !is => self.found(&at, "may be absent now"),
                Direction::In | Direction::Out => {}
            }
        }
        if direction == Direction::In {
            for name in now.keys().filter(|name| old["properties"].get(name).is_none()) {
                if is_required(new, name) {
                    self.found(&format!("{at}.{name}"), "is new, and must be given");
                }
            }
            if new["additionalProperties"] == false && old["additionalProperties"] != false {
                self.found(at, "takes no other fields any more");
            }
        }
    }

    /// A union loses no part that was taken, and gets none that no client reads.
    fn union(&mut self, at: &str, old: &Value, new: &Value, direction: Direction) {
        for key in ["oneOf", "anyOf"] {
            let parts = |schema: &Value| schema[key].as_array().cloned().unwrap_or_default();
            let (before, now) = (parts(old), parts(new));
            for part in &before {
                match now.iter().find(|it| reference(it) == reference(part)) {
                    Some(now) => self.compare(at, part, now, direction),
                    None => self.found(at, "is a union that has lost a part"),
                }
            }
            let fresh = now.iter().any(|part| !before.iter().any(|it| reference(it) == reference(part)));
            if fresh && direction == Direction::Out {
                self.found(at, "is a union that has another part");
            }
        }
    }
}

/// What a schema refers to, also with a description beside it.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref").or_else(|| schema.pointer("/allOf/0/$ref"))?.as_str()
}

fn resolve<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let named = reference(schema).and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    named.map_or(schema, |named| resolve(document, named))
}
