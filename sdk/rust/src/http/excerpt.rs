//! The beginning of an answer, for a message.

use crate::secret::Secret;

/// Most that is kept, in characters.
const CHARS_MAX: usize = 200;

/// What stands in the place of a secret.
const HIDDEN: &str = "***";

/// `body` in one line: not more than [`CHARS_MAX`] characters, white space folded, `secrets` replaced by `***`; and also the
/// beginning of one at the end, unless the body is `whole`.
pub(super) fn of(body: &[u8], whole: bool, secrets: &[Secret]) -> String {
    let begun = if whole { 0 } else { begun_at_end(body, secrets) };
    let mut text = String::from_utf8_lossy(&body[..body.len() - begun]).into_owned();
    // Before anything is cut, so that no part of one is left at the end.
    let mut secrets: Vec<&Secret> = secrets.iter().filter(|secret| !secret.expose().is_empty()).collect();
    // The longest first: one may be part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    for secret in secrets {
        text = text.replace(secret.expose(), HIDDEN);
    }
    if begun > 0 {
        text.push_str(HIDDEN);
    }
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    match line.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The most bytes at the end of `body` that a secret begins with, without being there as a whole.
fn begun_at_end(body: &[u8], secrets: &[Secret]) -> usize {
    let begun = |secret: &Secret| {
        let secret = secret.expose().as_bytes();
        (1..secret.len()).rev().find(|bytes| body.ends_with(&secret[..*bytes])).unwrap_or(0)
    };
    secrets.iter().map(begun).max().unwrap_or(0)
}
