//! Texts with placeholders: names of files, and messages of commits.

use thiserror::Error;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Placeholder(&'static str),
}

#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TemplateError {
    #[error("{{{name}}} is no placeholder: there are {known}")]
    Placeholder { name: String, known: String },
    #[error("a `{{` without `}}`")]
    Open,
}

impl Template {
    /// Reads a template with these placeholders.
    pub(crate) fn parse(text: &str, known: &[&'static str]) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or(TemplateError::Open)?;
            let Some(placeholder) = known.iter().find(|known| **known == name) else {
                let known: Vec<String> = known.iter().map(|known| format!("{{{known}}}")).collect();
                return Err(TemplateError::Placeholder { name: name.to_owned(), known: known.join(", ") });
            };
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Placeholder(placeholder));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts.retain(|part| *part != Part::Text(String::new()));
        Ok(Self(parts))
    }

    pub(crate) fn has(&self, placeholder: &str) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Placeholder(name) if *name == placeholder))
    }

    /// The text with a value for each placeholder.
    pub(crate) fn fill(&self, value: impl Fn(&str) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Placeholder(name) => value(name),
        };
        self.0.iter().map(part).collect()
    }
}
