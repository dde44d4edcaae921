//! Reads a TOML document with the place of every value, gathering faults instead of stopping at the first.
//!
//! Every reader here answers `None` only when there is a fault. Messages name types, never the value that
//! stands there: it may be a secret in the wrong place.

use std::{ops::RangeInclusive, path::Path, time::Duration};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    fault::{Collector, Spot},
    nearest,
    surroundings::Surroundings,
    units,
};

/// What every reader needs: where faults go, what relative paths start from, where secrets come from.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub(super) faults: Collector<'a>,
    pub(super) folder: &'a Path,
    pub(super) surroundings: &'a Surroundings<'a>,
    /// Whether the whole file could be read. Otherwise what seems to be missing may stand in the lines that could
    /// not, and is no fault.
    pub(super) whole: bool,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(super) struct Value<'a> {
    pub(super) spot: Spot,
    pub(super) value: &'a DeValue<'a>,
}

impl<'a> Value<'a> {
    fn new(path: String, value: &'a Spanned<DeValue<'a>>) -> Self {
        Self { spot: Spot { path, span: value.span() }, value: value.get_ref() }
    }

    /// Adds a fault of this value: it is not `expected`.
    pub(super) fn refuse(&self, cx: &mut Context<'_>, expected: &str, hint: &str) {
        let found = with_article(self.value.type_str());
        cx.faults.at(&self.spot, format!("expected {expected}, found {found}")).hint(hint);
    }

    /// A string.
    pub(super) fn text(&self, cx: &mut Context<'_>) -> Option<&'a str> {
        let text = self.value.as_str();
        if text.is_none() {
            self.refuse(cx, "a string", "put it in quotes");
        }
        text
    }

    /// A string in a form that `parse` understands; `form` names it ("a duration") and `hint` shows it.
    pub(super) fn parsed<T>(
        &self,
        cx: &mut Context<'_>,
        form: &str,
        hint: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let Some(text) = self.value.as_str() else {
            self.refuse(cx, form, hint);
            return None;
        };
        let parsed = parse(text);
        if parsed.is_none() {
            cx.faults.at(&self.spot, format!("not {form}")).hint(hint);
        }
        parsed
    }

    /// True or false.
    pub(super) fn truth(&self, cx: &mut Context<'_>) -> Option<bool> {
        let truth = match self.value {
            DeValue::Boolean(truth) => Some(*truth),
            _ => None,
        };
        if truth.is_none() {
            self.refuse(cx, "true or false", "without quotes");
        }
        truth
    }

    /// A duration.
    pub(super) fn duration(&self, cx: &mut Context<'_>) -> Option<Duration> {
        self.parsed(cx, "a duration", "like \"30s\", \"2m\" or \"1h\"", units::duration)
    }

    /// One of a closed set of words.
    pub(super) fn word<T: Copy>(&self, cx: &mut Context<'_>, what: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(cx)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let hint = nearest::hint(text, words.iter().map(|(word, _)| *word));
            cx.faults.at(&self.spot, format!("unknown {what} \"{text}\"")).hint = hint;
        }
        found.map(|(_, value)| *value)
    }

    /// A whole number within `range`.
    pub(super) fn number(&self, cx: &mut Context<'_>, range: RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = (range.start(), range.end());
        let Some(integer) = self.value.as_integer() else {
            self.refuse(cx, "a whole number", &format!("from {low} to {high}, without quotes"));
            return None;
        };
        let number =
            u32::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| range.contains(n));
        if number.is_none() {
            cx.faults.at(&self.spot, "the number is out of range").hint(format!("from {low} to {high}"));
        }
        number
    }

    /// The items of a list.
    pub(super) fn list(&self, cx: &mut Context<'_>) -> Option<Vec<Self>> {
        let Some(items) = self.value.as_array() else {
            self.refuse(cx, "a list", "put it in brackets: [ … ]");
            return None;
        };
        let path = |index| format!("{}[{index}]", self.spot.path);
        Some(items.iter().enumerate().map(|(index, item)| Value::new(path(index), item)).collect())
    }

    /// A list of strings, each with its place.
    pub(super) fn texts(&self, cx: &mut Context<'_>) -> Option<Vec<(Spot, &'a str)>> {
        let items = self.list(cx)?;
        let texts: Vec<_> =
            items.iter().filter_map(|item| Some((item.spot.clone(), item.text(cx)?))).collect();
        (texts.len() == items.len()).then_some(texts)
    }

    /// A table.
    pub(super) fn table(&self, cx: &mut Context<'_>) -> Option<Table<'a>> {
        let Some(entries) = self.value.as_table() else {
            self.refuse(cx, "a table", "put settings in braces: { key = … }, or below a [header]");
            return None;
        };
        Some(Table { spot: self.spot.clone(), entries, known: Vec::new() })
    }
}

/// A table whose keys are asked for one by one; whatever was not asked for is unknown.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) spot: Spot,
    entries: &'a DeTable<'a>,
    known: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The whole document.
    pub(super) fn document(document: &'a Spanned<DeTable<'a>>) -> Self {
        let spot = Spot { path: String::new(), span: document.span() };
        Self { spot, entries: document.get_ref(), known: Vec::new() }
    }

    /// The value under `key`, if there is one.
    pub(super) fn get(&mut self, key: &'static str) -> Option<Value<'a>> {
        self.known.push(key);
        let value = self.entries.get(key)?;
        Some(Value::new(self.path_of(key), value))
    }

    /// The value under `key`; its absence is a fault, which `hint` helps to mend.
    pub(super) fn require(
        &mut self,
        cx: &mut Context<'_>,
        key: &'static str,
        hint: &str,
    ) -> Option<Value<'a>> {
        let value = self.get(key);
        if value.is_none() && cx.whole {
            let spot = Spot { path: self.path_of(key), span: self.spot.span.clone() };
            cx.faults.at(&spot, "missing").hint(hint);
        }
        value
    }

    /// The table under `key`; an absent one reads as empty.
    pub(super) fn section(&mut self, cx: &mut Context<'_>, key: &'static str) -> Option<Table<'a>> {
        self.get(key)?.table(cx)
    }

    /// The tables of the list under `key` (`[[key]]`).
    pub(super) fn sections(&mut self, cx: &mut Context<'_>, key: &'static str) -> Vec<Table<'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        if value.value.is_table() {
            value.refuse(cx, "a list of tables", &format!("begin each with [[{key}]]"));
            return Vec::new();
        }
        let Some(items) = value.list(cx) else { return Vec::new() };
        items.iter().filter_map(|item| item.table(cx)).collect()
    }

    /// All entries of a table with free keys, in the order of the keys.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a str, Value<'a>)> {
        self.entries.iter().map(|(key, value)| {
            let key: &'a str = key.get_ref();
            (key, Value::new(self.path_of(key), value))
        })
    }

    /// The text under `key` and its place, if there is one, without a word about it otherwise.
    pub(super) fn peek_text(&self, key: &str) -> Option<(Spot, &'a str)> {
        let value = self.entries.get(key)?;
        Some((Value::new(self.path_of(key), value).spot, value.get_ref().as_str()?))
    }

    /// Adds a fault for each key that nobody asked for.
    pub(super) fn finish(self, cx: &mut Context<'_>) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if !self.known.contains(&name) {
                let spot = Spot { path: self.path_of(name), span: key.span() };
                let hint = nearest::hint(name, self.known.iter().copied());
                cx.faults.at(&spot, "unknown key").hint = hint;
            }
        }
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.spot.path, key)
    }
}

/// A setting that may be left out: `Some(None)` when it is, `None` after a fault.
pub(super) fn optional<'a, T>(
    value: Option<Value<'a>>,
    read: impl FnOnce(&Value<'a>) -> Option<T>,
) -> Option<Option<T>> {
    match value {
        None => Some(None),
        Some(value) => read(&value).map(Some),
    }
}

/// `key` below `path`, quoted when it is not a bare TOML key.
pub(super) fn join(path: &str, key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    let key = if bare { key.to_owned() } else { format!("{key:?}") };
    if path.is_empty() { key } else { format!("{path}.{key}") }
}

fn with_article(type_name: &str) -> String {
    let article = if type_name.starts_with(['a', 'i']) { "an" } else { "a" };
    format!("{article} {type_name}")
}
