//! Texts with placeholders, such as `{monitor} {status}`.

use thiserror::Error;

use crate::facts::Facts;

/// What stands for a fact that is not known.
const UNKNOWN: &str = "-";

/// A text with placeholders, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Fact(Placeholder),
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum TemplateError {
    #[error("there is no placeholder {{{name}}}: there are {}", names())]
    Unknown { name: String },
    #[error("a brace stands alone: write {{monitor}} for a placeholder, {{{{ and }}}} for braces")]
    Brace,
    #[error("the text is blank: leave the setting out to have the usual one")]
    Blank,
}

macro_rules! placeholders {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// What a template can say. The names are part of the settings: none may change its meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Placeholder { $($variant),+ }

        impl Placeholder {
            const ALL: &[(&str, Self)] = &[$(($name, Self::$variant)),+];
        }
    };
}

placeholders! {
    Monitor = "monitor",
    MonitorId = "monitor_id",
    Collection = "collection",
    Environment = "environment",
    Status = "status",
    Severity = "severity",
    Source = "source",
    FailedTests = "failed_tests",
    PassedTests = "passed_tests",
    Errors = "errors",
    Warnings = "warnings",
    Requests = "requests",
    LatencyMs = "latency_ms",
    Runs = "runs",
    FailedRuns = "failed_runs",
    Duration = "duration",
    Failures = "failures",
}

impl Template {
    /// Reads a text. `{{` and `}}` stand for braces.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '{' | '}' if rest.next_if_eq(&c).is_some() => plain.push(c),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some('{') | None => return Err(TemplateError::Brace),
                            Some(c) => name.push(c),
                        }
                    }
                    let known = Placeholder::ALL.iter().find(|(known, _)| *known == name);
                    let Some((_, placeholder)) = known else { return Err(TemplateError::Unknown { name }) };
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(Part::Fact(*placeholder));
                }
                '}' => return Err(TemplateError::Brace),
                c => plain.push(c),
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        let blank = |part: &Part| matches!(part, Part::Text(text) if text.trim().is_empty());
        if parts.iter().all(blank) { Err(TemplateError::Blank) } else { Ok(Self(parts)) }
    }

    /// The text about these facts: one line of at most `chars_max` characters.
    pub(crate) fn render(&self, facts: &Facts, chars_max: usize) -> String {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Fact(placeholder) => {
                    text.push_str(facts.get(*placeholder).as_deref().unwrap_or(UNKNOWN));
                }
            }
        }
        one_line(&text, chars_max)
    }
}

/// `text` in one line of at most `chars_max` characters: blanks and control characters folded. Names in it come from whoever
/// named the monitor, and what shows them may well be a terminal.
pub(crate) fn one_line(text: &str, chars_max: usize) -> String {
    let unseen = |c: char| c.is_whitespace() || c.is_control() || is_format(c);
    let words: Vec<&str> = text.split(unseen).filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    match line.char_indices().nth(chars_max) {
        // The sign that something is missing counts too.
        Some(_) => line.chars().take(chars_max.saturating_sub(1)).chain(['…']).collect(),
        None => line,
    }
}

/// Characters that turn the direction of what follows, or are not seen at all.
const fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn names() -> String {
    Placeholder::ALL.iter().map(|(name, _)| format!("{{{name}}}")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
