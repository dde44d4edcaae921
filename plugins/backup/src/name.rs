//! Parts of file names, made from what strangers called their collections.

use sha2::{Digest, Sha256};

const ID_BYTES_MAX: usize = 36;
const UUID_BYTES: usize = 36;

/// A collection's id, as far as it fits into the name of a file.
pub(crate) fn folder_id(id: Option<&str>) -> String {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return "unknown".to_owned() };
    let safe = safe(id, ID_BYTES_MAX);
    // Two ids that look alike once they are safe, or to a file system that knows no case, are still two collections.
    if safe == id && !id.contains(char::is_uppercase) {
        safe
    } else {
        format!("{safe}~{}", &hex(&Sha256::digest(id))[..8])
    }
}

/// `text` as part of a file name on any system: one component, visible, never special, at most `bytes_max` long.
pub(crate) fn safe(text: &str, bytes_max: usize) -> String {
    let text: String = text.chars().map(|c| if is_forbidden(c) { '_' } else { c }).collect();
    let hidden = |c: char| c == '.' || c.is_whitespace();
    let text = text.trim_start_matches(hidden);
    text[..text.floor_char_boundary(bytes_max)].trim_end_matches(hidden).to_owned()
}

/// What some file system or shell takes for more than a letter, and marks that let a name show as another.
fn is_forbidden(c: char) -> bool {
    let turns_text = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || turns_text || matches!(c, '/' | '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
}

pub(crate) fn is_uuid(id: &str) -> bool {
    id.len() == UUID_BYTES
        && id.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
