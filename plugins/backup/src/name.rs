//! Names of folders, made from what strangers called their collections.

use sha2::{Digest, Sha256};

/// With the id, below the 143 bytes that the strictest file system in use (eCryptfs) allows for one name.
const NAME_BYTES_MAX: usize = 90;
const ID_BYTES_MAX: usize = 36;
const UUID_BYTES: usize = 36;

/// Name of the folder of one collection: `{collection name}-{id}`.
pub(crate) fn folder_name(name: Option<&str>, id: Option<&str>) -> String {
    let name = name.map(|name| safe(name, NAME_BYTES_MAX)).filter(|name| !name.is_empty());
    let name = format!("{}-{}", name.as_deref().unwrap_or("unnamed"), folder_id(id));
    if is_device(&name) { format!("_{name}") } else { name }
}

/// How the name of a collection's folder ends, whatever the collection was called when the folder was made.
///
/// Only a UUID tells folders apart for sure: `-7` also ends a folder of the id `1-7`.
pub(crate) fn folder_suffix(id: Option<&str>) -> Option<String> {
    id.filter(|id| is_uuid(id)).map(|id| format!("-{id}"))
}

fn folder_id(id: Option<&str>) -> String {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return "unknown".to_owned() };
    let safe = safe(id, ID_BYTES_MAX);
    // Two ids that look alike once they are safe are still two collections.
    if safe == id { safe } else { format!("{safe}~{}", &hex(&Sha256::digest(id))[..8]) }
}

/// `text` as part of a file name on any system: one component, visible, never special, at most `bytes_max` long.
fn safe(text: &str, bytes_max: usize) -> String {
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

/// Windows takes these for devices, with any extension; a folder may be shared with it.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    let numbered =
        |port: &str| stem.strip_prefix(port).is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']));
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT")
}

fn is_uuid(id: &str) -> bool {
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
