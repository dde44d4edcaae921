//! Status codes in words.

use std::fmt;

use postroom_abi as abi;

/// A status that a plugin answered, shown with its number and meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) abi::postroom_status);

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let meaning = match self.0 {
            abi::POSTROOM_OK => "ok",
            abi::POSTROOM_E_INVALID => "invalid argument",
            abi::POSTROOM_E_UNSUPPORTED => "unsupported",
            abi::POSTROOM_E_STALE => "stale",
            abi::POSTROOM_E_NOT_FOUND => "not found",
            abi::POSTROOM_E_CONFLICT => "conflict",
            abi::POSTROOM_E_TOO_LARGE => "too large",
            abi::POSTROOM_E_DENIED => "denied",
            abi::POSTROOM_E_UNAVAILABLE => "unavailable",
            abi::POSTROOM_E_BUSY => "busy",
            abi::POSTROOM_E_CONFIG => "bad configuration",
            abi::POSTROOM_E_INTERNAL => "internal error",
            abi::POSTROOM_E_PANIC => "panic",
            _ => "unknown",
        };
        write!(f, "status {} ({meaning})", self.0)
    }
}
