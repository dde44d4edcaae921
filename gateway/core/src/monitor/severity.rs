//! How bad a failed run is.

use std::{fmt, str::FromStr};

use super::Numbers;
use crate::event::UnknownName;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Worth a look.
    Warning,
    /// Tests failed.
    Error,
    /// Requests could not even be made.
    Critical,
}

/// When a failed run is how bad.
#[derive(Debug, Clone, PartialEq)]
pub struct SeverityRule {
    /// When.
    pub when: SeverityWhen,
    /// How bad it is then.
    pub severity: Severity,
}

/// Conditions that must all hold. One about a number that the run does not carry does not hold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SeverityWhen {
    /// At least so many tests failed.
    pub failed_tests_at_least: Option<u32>,
    /// At least this share of the tests failed, 0 to 1.
    pub failed_share_at_least: Option<f64>,
    /// At least so many errors.
    pub errors_at_least: Option<u32>,
    /// A request took at least so many milliseconds on the average.
    pub latency_mean_ms_at_least: Option<f64>,
}

impl Severity {
    /// Every severity, the least first.
    pub const ALL: [Self; 4] = [Self::Info, Self::Warning, Self::Error, Self::Critical];

    /// The name used in configuration, API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    /// How bad a failed run is: what the first of `rules` says that holds.
    ///
    /// Without one, errors are critical, failed tests are an error, and what failed without either is a warning.
    #[must_use]
    pub fn of(numbers: &Numbers, rules: &[SeverityRule]) -> Self {
        let rule = rules.iter().find(|rule| rule.when.holds(numbers));
        rule.map_or_else(
            || match (numbers.errors, numbers.failed_tests) {
                (Some(1..), _) => Self::Critical,
                (_, Some(1..)) => Self::Error,
                _ => Self::Warning,
            },
            |rule| rule.severity,
        )
    }
}

impl SeverityWhen {
    fn holds(&self, numbers: &Numbers) -> bool {
        fn reached<T: PartialOrd>(least: Option<T>, number: Option<T>) -> bool {
            least.is_none_or(|least| number.is_some_and(|number| number >= least))
        }
        reached(self.failed_tests_at_least, numbers.failed_tests)
            && reached(self.failed_share_at_least, numbers.failed_share())
            && reached(self.errors_at_least, numbers.errors)
            && reached(self.latency_mean_ms_at_least, numbers.latency_mean_ms())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Severity {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str() == text)
            .ok_or(UnknownName { what: "severity" })
    }
}
