//! A difference for people: in one line, as text, as Markdown. Secrets are not shown.

mod lines;
mod markdown;
mod text;

use crate::{
    diff::{Change, Diff, FieldChange, How, What},
    json::{elements, lossy, members},
    tree::segments,
};

/// A field shows no more lines than these.
const LINES_MAX: usize = 40;

/// A line shows no more characters than these.
const LINE_CHARS_MAX: usize = 160;

impl Diff {
    /// One line: `2 requests added, 1 script changed`.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut counts = self.counted.clone();
        for change in &self.changes {
            *counts.entry((change.what, change.how)).or_default() += 1;
        }
        if counts.is_empty() {
            return "no changes".to_owned();
        }
        let parts = counts.into_iter().map(|((what, how), count)| match (what, count) {
            (What::Collection, _) => format!("collection {}", how.verb()),
            (_, 1) => format!("1 {} {}", what.noun(), how.verb()),
            _ => format!("{count} {} {}", what.nouns(), how.verb()),
        });
        parts.collect::<Vec<_>>().join(", ")
    }

    /// What `show` makes of the changes, without secrets, up to the one with which there are more than `enough` bytes.
    fn shown(&self, enough: usize, show: fn(&Change, &mut String)) -> String {
        let mut text = String::new();
        for change in &self.changes {
            show(&change.without_secrets(), &mut text);
            if text.len() > enough {
                break;
            }
        }
        text
    }
}

impl How {
    fn verb(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Renamed => "renamed",
            Self::Moved => "moved",
            Self::Reordered => "reordered",
            Self::Changed => "changed",
        }
    }
}

impl What {
    fn noun(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Folder => "folder",
            Self::Request => "request",
            Self::Example => "example",
            Self::Script => "script",
            Self::Auth => "authorization",
            Self::Variable => "variable",
            Self::Element => "unknown element",
        }
    }

    fn nouns(self) -> String {
        format!("{}s", self.noun())
    }
}

/// One line of a field: what is gone, and what has come.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Gone(String),
    Come(String),
    /// So many lines are not shown.
    Left(usize),
}

/// How a field is shown.
enum Shown {
    /// Both are short.
    Values(String, String),
    Lines(Vec<Line>),
    /// What differs is secret.
    Hidden,
    /// It is too long to be shown.
    Long,
}

/// The path of a field, for people: `/request/url/raw` is `url.raw`.
fn label(field: &FieldChange) -> String {
    let steps: Vec<_> = segments(&field.path).collect();
    let steps = match &steps[..] {
        [first, rest @ ..] if !rest.is_empty() && (first == "request" || first == "info") => rest,
        all => all,
    };
    readable(&steps.join("."))
}

fn shown(field: &FieldChange) -> Shown {
    if field.before.is_none() && field.after.is_none() {
        return Shown::Long;
    }
    let [before, after] =
        [&field.before, &field.after].map(|value| value.as_deref().map(|value| value_lines(value.get())));
    if before == after {
        return Shown::Hidden;
    }
    if let (Some([before]), Some([after])) = (before.as_deref(), after.as_deref()) {
        return Shown::Values(cut(before), cut(after));
    }
    let mut lines = lines::differences(&before.unwrap_or_default(), &after.unwrap_or_default());
    let left = lines.len().saturating_sub(LINES_MAX);
    lines.truncate(LINES_MAX);
    if left > 0 {
        lines.push(Line::Left(left));
    }
    Shown::Lines(lines)
}

/// A value in lines: a text as it is, a list with one element each.
fn value_lines(value: &str) -> Vec<String> {
    if let Some(text) = lossy(value) {
        return match text.is_empty() {
            true => vec!["\"\"".to_owned()],
            false => text.lines().map(readable).collect(),
        };
    }
    match elements(value) {
        Some(list) if !list.is_empty() => list.into_iter().map(element_line).collect(),
        _ => vec![readable(value)],
    }
}

/// An element of a list: `Accept: application/json` for a pair.
fn element_line(element: &str) -> String {
    if let Some(text) = lossy(element) {
        return readable(&text);
    }
    let members = members(element).unwrap_or_default();
    let text =
        |key: &str| members.iter().find(|member| member.key == key).and_then(|member| lossy(member.value));
    let is_pair = |member: &crate::json::Member<'_>| matches!(&*member.key, "key" | "value" | "type" | "id");
    match (text("key"), text("value")) {
        (Some(key), Some(value)) if members.iter().all(is_pair) => readable(&format!("{key}: {value}")),
        _ => readable(element),
    }
}

/// Text on one line, in which nothing but letters is special.
fn readable(text: &str) -> String {
    let turns_text =
        |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let readable = text.chars().map(|character| match character {
        '\t' => ' ',
        '\u{2028}' | '\u{2029}' => ' ',
        other if other.is_control() || turns_text(other) => '\u{fffd}',
        other => other,
    });
    readable.collect()
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LINE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line.to_owned(),
    }
}

/// What changed, in names.
fn title(change: &Change) -> String {
    match change.place.is_empty() {
        true => change.what.noun().to_owned(),
        false => format!("{} {}", change.what.noun(), names(&change.place)),
    }
}

fn names(place: &[String]) -> String {
    cut(&readable(&place.join(" › ")))
}

/// The folder that a moved part was in.
fn old_folder(change: &Change) -> Option<String> {
    let (_, folder) = change.was.as_ref()?.split_last()?;
    Some(if folder.is_empty() { "the top".to_owned() } else { names(folder) })
}

#[cfg(test)]
mod tests;
