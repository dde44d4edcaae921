//! What a check has seen of a plugin that passed it.

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) reason: String,
    /// The author should look at it.
    pub(super) doubtful: bool,
}

impl From<String> for Seen {
    fn from(reason: String) -> Self {
        Self { reason, doubtful: false }
    }
}
