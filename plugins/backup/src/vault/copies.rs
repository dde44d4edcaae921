//! Copies for people: plain files under names that they choose.

use thiserror::Error;

use super::{Version, names};
use crate::name::{folder_id, safe};

const NAME_BYTES_MAX: usize = 90;
/// Most bytes of a path.
const PATH_BYTES_MAX: usize = 900;
const PLACEHOLDERS: [&str; 6] = ["name", "id", "time", "date", "sha", "format"];

/// Where the copy of a version goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TemplateError {
    #[error(
        "{{{0}}} is no placeholder: there are {{name}}, {{id}}, {{time}}, {{date}}, {{sha}} and {{format}}"
    )]
    Placeholder(String),
    #[error("a `{{` without `}}`")]
    Open,
    #[error("it leads out of the folder of the backups: write a path below it, with `/` between its parts")]
    Outside,
    #[error("it has neither {{id}} nor {{sha}}: two collections of one name would overwrite each other")]
    Ambiguous,
    #[error("`{0}` is where versions are kept: write another folder")]
    Taken(&'static str),
}

impl Template {
    /// Reads a template; `None` for the empty one, which asks for no copies.
    pub(crate) fn parse(text: &str) -> Result<Option<Self>, TemplateError> {
        if text.is_empty() {
            return Ok(None);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            let known = PLACEHOLDERS.into_iter().find(|known| *known == name);
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Placeholder(known.ok_or_else(|| TemplateError::Placeholder(name.to_owned()))?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        let bad = |part: &str| part.is_empty() || part.starts_with('.') || part.trim() != part;
        if text.split('/').any(bad) || text.contains(['\\', '\0']) || text.contains(char::is_control) {
            return Err(TemplateError::Outside);
        }
        if text.split('/').next() == Some(names::COLLECTIONS) {
            return Err(TemplateError::Taken(names::COLLECTIONS));
        }
        if !["id", "sha"].into_iter().any(|name| parts.contains(&Part::Placeholder(name))) {
            return Err(TemplateError::Ambiguous);
        }
        Ok(Some(Self(parts)))
    }

    /// The path of a version's copy. Names of strangers stay one part of it, and visible.
    pub(crate) fn path(&self, version: &Version) -> String {
        let mut path = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Placeholder(name) => path.push_str(&value(name, version)),
            }
        }
        let cut = path.floor_char_boundary(PATH_BYTES_MAX);
        path.truncate(cut);
        path
    }

    /// Whether a later version takes the place of an earlier one. If not, each has a copy of its own.
    pub(crate) fn replaces(&self) -> bool {
        !["time", "date", "sha"].into_iter().any(|name| self.0.contains(&Part::Placeholder(name)))
    }
}

fn value(placeholder: &str, version: &Version) -> String {
    match placeholder {
        "name" => match safe(version.name.as_deref().unwrap_or_default(), NAME_BYTES_MAX) {
            name if name.is_empty() => "unnamed".to_owned(),
            name => name,
        },
        "id" => folder_id(version.collection.as_deref()),
        "time" => names::time(version.received_unix_ms),
        "date" => names::time(version.received_unix_ms)[..10].to_owned(),
        "sha" => version.sha256[..12].to_owned(),
        _ => version.format.clone(),
    }
}

#[cfg(test)]
mod tests;
