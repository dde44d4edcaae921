//! The beginning of an answer, for a message.

use crate::secret::Secret;

/// Most that is kept, in characters.
const CHARS_MAX: usize = 200;

/// `body` in one line: not more than [`CHARS_MAX`] characters, white space folded, `secrets` replaced by `***`.
pub(super) fn of(body: &[u8], secrets: &[Secret]) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    // Before anything is cut, so that no part of one is left at the end.
    let mut secrets: Vec<&Secret> = secrets.iter().filter(|secret| !secret.expose().is_empty()).collect();
    // The longest first: one may be part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose().len()));
    for secret in secrets {
        text = text.replace(secret.expose(), "***");
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
