//! A destination's settings: from JSON to the author's type, with the path of every fault.

mod unread;

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;

use crate::plugin::Plugin;

/// Faults of a config, collected by [`Plugin::validate`](crate::Plugin::validate).
///
/// ```
/// use postroom_sdk::Report;
///
/// let mut report = Report::default();
/// report.error("/url", "the address must begin with https://");
/// report.warning("/timeout", "longer than an attempt may take");
/// assert_eq!(report.errors()[0].to_string(), "/url: the address must begin with https://");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// One fault of a config.
///
/// ```
/// use postroom_sdk::Fault;
///
/// let fault = Fault { path: String::new(), message: "give either `url` or `host`".to_owned() };
/// assert_eq!(fault.to_string(), "give either `url` or `host`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where, as a JSON Pointer such as `/base_url`; empty for the whole config.
    pub path: String,
    /// What is wrong and what to write instead; never the value of a secret.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => f.write_str(&self.message),
            path => write!(f, "{path}: {}", self.message),
        }
    }
}

impl Report {
    /// Refuses the config because of the value at `path`, a JSON Pointer such as `/base_url`.
    pub fn error(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.errors.push(Fault { path: path.into(), message: message.into() });
    }

    /// Accepts the value at `path` but tells the operator about it.
    pub fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Fault { path: path.into(), message: message.into() });
    }

    /// The faults that refuse the config.
    #[must_use]
    pub fn errors(&self) -> &[Fault] {
        &self.errors
    }

    /// The faults that do not.
    #[must_use]
    pub fn warnings(&self) -> &[Fault] {
        &self.warnings
    }
}

pub(crate) fn in_one_line(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads the settings of `P`. Of a type with a schema, no setting is passed over.
pub(crate) fn parse_for<P: Plugin>(json: &[u8]) -> Result<P::Config, Vec<Fault>> {
    let config = parse(json)?;
    let Some(schema) = P::DECLARED.config_schema else { return Ok(config) };
    let unread = unread::unread::<P::Config>(&serde_json::from_slice(json).unwrap_or_default(), &schema(""));
    if unread.is_empty() { Ok(config) } else { Err(unread) }
}

/// Reads a config, or says where and why it does not fit.
///
/// A setting that no field takes is a fault whether the author's type refuses it or not: a misspelt setting that is
/// passed over is one that nobody finds. Beside a flattened field it takes [`parse_for`] to find it.
pub(crate) fn parse<C: DeserializeOwned>(json: &[u8]) -> Result<C, Vec<Fault>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut track = serde_path_to_error::Track::new();
    let tracked = serde_path_to_error::Deserializer::new(&mut deserializer, &mut track);
    let mut unknown = Vec::new();
    let parsed = serde_ignored::deserialize(tracked, |path| {
        let mut pointer = String::new();
        append(&mut pointer, &path);
        unknown.push(no_such_setting(pointer));
    });
    match parsed {
        Ok(config) if unknown.is_empty() => Ok(config),
        Ok(_) => Err(unknown),
        Err(error) => Err(vec![Fault {
            path: pointer(&track.path()),
            message: without_position(&error.to_string()).to_owned(),
        }]),
    }
}

fn no_such_setting(path: String) -> Fault {
    Fault { path, message: "there is no such setting".to_owned() }
}

fn append(pointer: &mut String, path: &serde_ignored::Path<'_>) {
    use serde_ignored::Path;
    match path {
        Path::Root => {}
        Path::Seq { parent, index } => {
            append(pointer, parent);
            pointer.push_str(&format!("/{index}"));
        }
        Path::Map { parent, key } => {
            append(pointer, parent);
            pointer.push_str(&format!("/{}", escaped(key)));
        }
        // Not places in the JSON.
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            append(pointer, parent);
        }
    }
}

/// `key` as a part of a JSON Pointer.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escaped(key))),
            // Variants are not places in the JSON, and an unknown place has no name.
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// The line and column of serde_json's messages mean nothing to an operator, who wrote TOML.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

#[cfg(test)]
mod tests;
