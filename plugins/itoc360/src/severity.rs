//! How bad an alert is.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What ITOC360 makes an incident's priority of: critical, high, medium and low.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Severity {
    /// The lowest.
    Info,
    /// Worth a look.
    Warning,
    /// Something is broken.
    Error,
    /// Somebody has to get up.
    Critical,
}

/// Which severity an alert has when nobody else has said it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub(crate) struct SeverityMap {
    /// Of a run that could not be carried out as a whole.
    pub(crate) errors: Severity,
    /// Of a run in which tests failed and nothing else.
    pub(crate) failed_tests: Severity,
    /// Of a monitor that is not heard of.
    pub(crate) silent: Severity,
}

impl Default for SeverityMap {
    fn default() -> Self {
        Self { errors: Severity::Critical, failed_tests: Severity::Error, silent: Severity::Warning }
    }
}

impl Severity {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Info, Self::Warning, Self::Error, Self::Critical];
        all.into_iter().find(|severity| severity.as_str() == text).ok_or(())
    }
}
