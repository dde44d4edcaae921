//! What the host of a test has received.

use std::time::Duration;

use postroom_abi::{self as abi, postroom_outcome};
use serde_json::Value;

use crate::log::Level;

/// The classes of outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutcomeKind {
    /// The remote side has it.
    Delivered,
    /// Left out on purpose.
    Skipped,
    /// To be tried again.
    Retry,
    /// The destination pauses.
    RateLimited,
    /// Dead letter.
    Permanent,
    /// The operator must act.
    Misconfigured,
}

/// An outcome as it crossed the boundary.
///
/// ```
/// use std::time::Duration;
///
/// use postroom_sdk::testing::{OutcomeKind, TestOutcome};
///
/// fn waits(outcome: &TestOutcome) {
///     assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "http_503"));
///     assert_eq!(outcome.retry_after, Some(Duration::from_secs(7)));
/// }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TestOutcome {
    /// The class.
    pub kind: OutcomeKind,
    /// How long to wait; `None` leaves it to the gateway.
    pub retry_after: Option<Duration>,
    /// For programs.
    pub code: String,
    /// For people.
    pub message: String,
    /// What the remote side gave back.
    pub record: Option<Value>,
}

impl TestOutcome {
    /// Makes it from the numbers and texts of the boundary. A record that is no JSON object fails the test.
    pub(super) fn new(outcome: &postroom_outcome, code: String, message: String, record: &str) -> Self {
        let kind = match outcome.kind {
            abi::POSTROOM_OUT_DELIVERED => OutcomeKind::Delivered,
            abi::POSTROOM_OUT_SKIPPED => OutcomeKind::Skipped,
            abi::POSTROOM_OUT_RATE_LIMITED => OutcomeKind::RateLimited,
            abi::POSTROOM_OUT_PERMANENT => OutcomeKind::Permanent,
            abi::POSTROOM_OUT_MISCONFIGURED => OutcomeKind::Misconfigured,
            // As the gateway takes kinds it does not know.
            _ => OutcomeKind::Retry,
        };
        let wait = Duration::from_millis(outcome.retry_after_ms);
        let record = (!record.is_empty())
            .then(|| serde_json::from_str(record).expect("the SDK writes records as JSON"));
        Self { kind, retry_after: (!wait.is_zero()).then_some(wait), code, message, record }
    }
}

/// A line the plugin has logged.
///
/// ```
/// use postroom_sdk::{Plugin, testing::PluginHarness};
///
/// fn tells_how_much<P: Plugin>(harness: &PluginHarness<P>) {
///     let line = harness.logs().pop().unwrap();
///     assert!(line.in_delivery);
///     assert_eq!(line.fields()["pages"], 2);
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// Whether it belongs to a delivery.
    pub in_delivery: bool,
    /// The module that wrote it with `tracing`; empty for [`Log`](crate::Log).
    pub target: String,
    /// The text.
    pub message: String,
    /// The fields as JSON; empty when there are none.
    pub fields_json: String,
}

impl LogLine {
    /// The fields; null when there are none.
    #[must_use]
    pub fn fields(&self) -> Value {
        serde_json::from_str(&self.fields_json).unwrap_or_default()
    }
}
