//! A destination's settings: from JSON to the author's type, with the path of every fault.

use std::fmt;

use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::Segment;

/// Faults of a config, collected by [`Plugin::validate`](crate::Plugin::validate).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    errors: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// One fault of a config.
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

/// Reads a config, or says where and why it does not fit.
pub(crate) fn parse<C: DeserializeOwned>(json: &[u8]) -> Result<C, Fault> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    serde_path_to_error::deserialize(&mut deserializer).map_err(|error| Fault {
        path: pointer(error.path()),
        message: without_position(&error.into_inner().to_string()).to_owned(),
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path.iter() {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1")))
            }
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
