//! Chosen fields of a JSON object, as raw values. The rest is skipped, so a body of many megabytes is scanned once and
//! never built up as a tree.

use std::fmt;

use serde::{
    Deserializer,
    de::{DeserializeSeed, IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

const BYTE_ORDER_MARK: &str = "\u{feff}";
/// Longest text kept of a field, in bytes; the gateway keeps as much.
const TEXT_BYTES_MAX: usize = 1024;

/// Reads the fields called `names` of the top level of `body` and hands them over with the text they were read from,
/// whose offsets are those of `body`. `None` when the body is no JSON object.
///
/// Some exports have byte order marks before values. They are no JSON, so a body that cannot be read for them is read
/// again with the marks blanked out: a mark has three bytes in UTF-8, and three blanks keep the offsets.
pub(super) fn top_level<T>(
    body: &[u8],
    names: &'static [&'static str],
    read: impl FnOnce(&Fields<'_>, &str) -> T,
) -> Option<T> {
    let text = std::str::from_utf8(body).ok()?;
    if let Some(fields) = Fields::read(text, names) {
        return Some(read(&fields, text));
    }
    let readable = text.contains(BYTE_ORDER_MARK).then(|| text.replace(BYTE_ORDER_MARK, "   "))?;
    Fields::read(&readable, names).map(|fields| read(&fields, &readable))
}

/// Where a mark that stands directly before `start` begins, or `start` itself.
pub(super) fn with_mark(body: &[u8], start: usize) -> usize {
    match body.get(..start) {
        Some(before) if before.ends_with(BYTE_ORDER_MARK.as_bytes()) => start - BYTE_ORDER_MARK.len(),
        _ => start,
    }
}

/// The chosen fields of one object; a repeated key counts with its last value.
#[derive(Debug, Default)]
pub(super) struct Fields<'a>(Vec<(&'static str, &'a RawValue)>);

impl<'a> Fields<'a> {
    /// Reads the fields called `names`; `None` when `json` is no JSON object.
    pub(super) fn read(json: &'a str, names: &'static [&'static str]) -> Option<Self> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let fields = Chosen(names).deserialize(&mut deserializer).ok()?;
        deserializer.end().ok()?;
        Some(fields)
    }

    /// The raw JSON of a field.
    pub(super) fn json(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| value.get())
    }

    /// The fields called `names` of the object under `name`; none when there is no such object.
    pub(super) fn object(&self, name: &str, names: &'static [&'static str]) -> Self {
        self.json(name).and_then(|json| Self::read(json, names)).unwrap_or_default()
    }

    /// A string that is not blank, cut to [`TEXT_BYTES_MAX`].
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let mut text: String = serde_json::from_str(self.json(name)?).ok()?;
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        (!text.trim().is_empty()).then_some(text)
    }

    /// A counter under the first of `names` that holds one: a number or a string that is a number, not negative.
    /// Any fraction counts as a whole, so that it is never taken for none.
    pub(super) fn count(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| {
            let number: f64 = match self.text(name) {
                Some(text) => text.trim().parse().ok()?,
                None => self.json(name)?.parse().ok()?,
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "not negative, and a cast from a float saturates"
            )]
            (number.is_finite() && number >= 0.0).then(|| number.ceil() as u64)
        })
    }
}

struct Chosen(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Chosen {
    type Value = Fields<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Chosen {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some(name) = map.next_key_seed(Name(self.0))? {
            let Some(name) = name else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let value = map.next_value::<&'de RawValue>()?;
            match fields.0.iter_mut().find(|(key, _)| *key == name) {
                Some(field) => field.1 = value,
                None => fields.0.push((name, value)),
            }
        }
        Ok(fields)
    }
}

/// Recognises a key without keeping it.
struct Name(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Option<&'static str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Option<&'static str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().copied().find(|name| *name == key))
    }
}
