//! A difference as Markdown. Names come from strangers: nothing in them is markup.

use super::{Line, Shown, label, names, old_folder, shown};
use crate::diff::{Change, Diff, How};

impl Diff {
    /// All changes as a list. Empty when there are none.
    #[must_use]
    pub fn markdown(&self) -> String {
        self.markdown_of(usize::MAX)
    }

    /// The first changes only, with which there are more than `enough` bytes.
    #[must_use]
    pub fn markdown_of(&self, enough: usize) -> String {
        self.shown(enough, show)
    }
}

fn show(change: &Change, text: &mut String) {
    let noun = change.what.noun();
    let part = match change.place.is_empty() {
        true => noun.to_owned(),
        false => format!("{noun} **{}**", escaped(&names(&change.place))),
    };
    let rest = match change.how {
        How::Moved => format!(" from {}", escaped(&old_folder(change).unwrap_or_default())),
        How::Renamed => match change.fields.first().map(shown) {
            Some(Shown::Values(before, _)) => format!(", was {}", escaped(&before)),
            _ => String::new(),
        },
        How::Added | How::Removed | How::Reordered | How::Changed => String::new(),
    };
    let verb = change.how.verb();
    text.push_str(&format!("- {}{} {part}{rest}\n", verb[..1].to_uppercase(), &verb[1..]));
    if change.how != How::Renamed && !change.fields.is_empty() {
        fence(&lines(change), text);
    }
}

fn lines(change: &Change) -> Vec<String> {
    let mut lines = Vec::new();
    for field in &change.fields {
        let label = label(field);
        match shown(field) {
            Shown::Values(before, after) => {
                lines.extend([format!("- {label}: {before}"), format!("+ {label}: {after}")]);
            }
            Shown::Hidden => lines.push(format!("  {label}: another secret")),
            Shown::Long => lines.push(format!("  {label}: too long to be shown")),
            Shown::Lines(changed) => {
                lines.push(format!("  {label}:"));
                lines.extend(changed.into_iter().map(|line| match line {
                    Line::Gone(line) => format!("- {line}"),
                    Line::Come(line) => format!("+ {line}"),
                    Line::Left(lines) => format!("  … {lines} more"),
                }));
            }
        }
    }
    lines
}

/// A block that ends where it should, whatever the lines have in them.
fn fence(lines: &[String], text: &mut String) {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`').map(str::len)).max();
    let fence = "`".repeat(longest.unwrap_or_default().max(2) + 1);
    text.push_str(&format!("  {fence}diff\n"));
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    text.push_str(&format!("  {fence}\n"));
}

fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        if character.is_ascii_punctuation() && !matches!(character, ',' | '.' | '\'' | '/' | '-') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
