//! Which paths every storage can hold.

use super::StorageError;

/// Most bytes of one part: what the usual file systems hold.
const PART_BYTES_MAX: usize = 255;
/// Most bytes of a path: what S3 holds.
const BYTES_MAX: usize = 1024;
/// Begins the names of files that are being written; no path has a part like that.
pub(crate) const TEMPORARY_PREFIX: &str = ".postroom-";

/// Refuses a path that leads elsewhere, or that some storage would not hold or would change.
///
/// A path is relative, with `/` between its parts.
pub(super) fn check(path: &str) -> Result<(), StorageError> {
    let fault = if path.len() > BYTES_MAX {
        Some("is longer than 1024 bytes")
    } else {
        path.split('/').find_map(fault_of_part)
    };
    fault.map_or(Ok(()), |fault| {
        Err(StorageError::Misconfigured { setting: "path", why: format!("the path {path:?} {fault}") })
    })
}

/// Like [`check`], for a folder: the empty path is the root.
pub(super) fn check_folder(path: &str) -> Result<(), StorageError> {
    if path.is_empty() { Ok(()) } else { check(path) }
}

fn fault_of_part(part: &str) -> Option<&'static str> {
    match part {
        "" => Some("has an empty part, or begins or ends with `/`"),
        "." | ".." => Some("has the part `.` or `..`"),
        _ if part.len() > PART_BYTES_MAX => Some("has a part of more than 255 bytes"),
        _ if part.starts_with(TEMPORARY_PREFIX) => Some("has a part that begins like a temporary file"),
        _ if part.chars().any(char::is_control) => Some("has a control character"),
        _ if part.contains('\\') => Some("has a backslash"),
        // Some services cut them off, and two names would become one.
        _ if part.trim() != part || part.ends_with('.') => {
            Some("has a part that begins or ends with white space, or ends with a dot")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
