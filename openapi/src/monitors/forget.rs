//! What is left to say of a monitor that is forgotten.

use poem_openapi::{Object, types::Example};

/// A monitor that is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct ForgottenMonitor {
    /// The id that it had.
    pub uid: String,
    /// Its name.
    pub name: Option<String>,
    /// How many runs had come from it.
    pub runs: u64,
    /// The id of its incident that was open and is resolved now. Absent when none was.
    pub resolved_incident: Option<String>,
    /// Whether it was silent.
    pub was_silent: bool,
}

impl Example for ForgottenMonitor {
    fn example() -> Self {
        Self {
            uid: "1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10".to_owned(),
            name: Some("Checkout smoke test".to_owned()),
            runs: 8620,
            resolved_incident: Some("0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01".to_owned()),
            was_silent: false,
        }
    }
}
