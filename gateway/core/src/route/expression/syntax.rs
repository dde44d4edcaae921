//! What the parser says of a text that is no expression, in words for people.

use cel::ParseErrors;

use super::ExpressionError;

/// How to write a text, for those who forgot its quotes.
const QUOTES: &str = "texts in an expression need quotes: 'prod'";

/// The first of the errors: those behind it mostly follow from it.
pub(super) fn error(source: &str, errors: &ParseErrors) -> ExpressionError {
    if source.trim().is_empty() {
        return ExpressionError::Empty;
    }
    let Some(error) = errors.errors.first() else { return ExpressionError::LeftOut("this") };
    if error.msg.contains("limit exceeded") {
        return ExpressionError::TooDeep;
    }
    let place = |at: isize| usize::try_from(at).unwrap_or(0);
    let (line, column) = (place(error.pos.0), place(error.pos.1));
    let (before, rest) = split(source, line, column);
    let (column, found) = (before.chars().count() + 1, token(rest));
    let (message, remedy) = in_words(error.msg.trim_start_matches("Syntax error: "), found);
    ExpressionError::Syntax { line, column, message, remedy }
}

fn in_words(message: &str, found: &str) -> (String, Option<&'static str>) {
    let place = if found.is_empty() { "at the end".to_owned() } else { format!("before `{found}`") };
    if let Some(missing) = ["')'", "']'", "'}'", "':'"].iter().find(|token| message.ends_with(**token)) {
        let missing = missing.trim_matches('\'');
        return (format!("a `{missing}` is missing {place}"), remedy_at(found));
    }
    if message.contains("expecting expression") {
        return ("a value is missing at the end".to_owned(), None);
    }
    if message.contains("expecting <EOF>") {
        return (format!("`{found}` cannot stand behind a value"), remedy_at(found).or(Some(QUOTES)));
    }
    if message.contains("single '&'") {
        return ("a single `&`".to_owned(), Some("did you mean &&?"));
    }
    if message.contains("single '|'") {
        return ("a single `|`".to_owned(), Some("did you mean ||?"));
    }
    if message.contains("unterminated") {
        return ("a text does not end".to_owned(), Some("close it with the quote that it began with"));
    }
    if message.contains("invalid int literal") {
        return ("the number is too large".to_owned(), Some("the largest is 9223372036854775807"));
    }
    if message.contains("trailing characters") {
        return ("a number with letters behind it".to_owned(), Some("write a whole number, without a unit"));
    }
    if message.contains("unescape") {
        return ("a backslash that means nothing".to_owned(), Some("write \\\\ for a backslash itself"));
    }
    if message.contains("unexpected token") {
        return match found {
            "" => ("a value is missing at the end".to_owned(), None),
            _ => (format!("a value is missing before `{found}`"), remedy_at(found)),
        };
    }
    if message.contains("reserved") {
        return (format!("`{found}` is a word of the language and no name"), Some(QUOTES));
    }
    if found.is_empty() {
        ("it is not complete".to_owned(), None)
    } else {
        (format!("`{found}` cannot stand there"), None)
    }
}

/// What is meant by something that other languages have.
fn remedy_at(found: &str) -> Option<&'static str> {
    match found {
        "=" | "===" => Some("did you mean ==?"),
        "and" | "AND" => Some("did you mean &&?"),
        "or" | "OR" => Some("did you mean ||?"),
        "<>" => Some("did you mean !=?"),
        _ => None,
    }
}

/// A line before and from a place on; the parser counts both from 1, and columns in bytes.
fn split(source: &str, line: usize, column: usize) -> (&str, &str) {
    let line = line.checked_sub(1).and_then(|line| source.lines().nth(line)).unwrap_or_default();
    line.split_at(line.floor_char_boundary(column.saturating_sub(1)))
}

/// The word or sign that `rest` begins with; empty at the end.
fn token(rest: &str) -> &str {
    let Some(first) = rest.chars().next() else { return "" };
    let goes_on = |c: char| match first {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => c.is_ascii_alphanumeric() || c == '_',
        '=' | '<' | '>' | '!' => matches!(c, '=' | '<' | '>' | '!'),
        _ => false,
    };
    let end = rest.char_indices().skip(1).find(|(_, c)| !goes_on(*c)).map_or(rest.len(), |(end, _)| end);
    &rest[..end]
}
