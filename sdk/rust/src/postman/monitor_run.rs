//! Result of a monitor's run.

use super::{
    fields::{Fields, top_level},
    id::without_owner,
};

/// Result of a monitor's run. It has no time, no id and no link: use those of the [`Event`](crate::Event).
///
/// Whether it passed is [`Event::verdict`](crate::Event::verdict).
///
/// ```
/// use postroom_sdk::MonitorRun;
///
/// fn title(run: &MonitorRun) -> String {
///     let name = run.monitor_name.as_deref().or(run.monitor_id()).unwrap_or("a monitor");
///     // A counter that is missing is not zero: the run does not say.
///     let failed = run.failed_tests.map_or_else(|| "?".to_owned(), |failed| failed.to_string());
///     format!("{name}: {failed} tests failed")
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorRun {
    /// Name of the monitor, without blanks round it; names are not unique.
    pub monitor_name: Option<String>,
    /// Id of the monitor as it was sent.
    pub monitor_uid: Option<String>,
    /// Name of the collection, without blanks round it.
    pub collection_name: Option<String>,
    /// Id of the collection as it was sent, mostly with owner prefix.
    pub collection_uid: Option<String>,
    /// Name of the environment, if the run had one.
    pub environment_name: Option<String>,
    /// Id of the environment as it was sent, mostly with owner prefix.
    pub environment_uid: Option<String>,
    /// Name of the monitor's owner.
    pub user_name: Option<String>,
    /// Number of the monitor's owner.
    pub user_id: Option<String>,
    /// Assertions that failed.
    pub failed_tests: Option<u64>,
    /// Assertions that passed.
    pub passed_tests: Option<u64>,
    /// Requests or scripts that could not run.
    pub errors: Option<u64>,
    /// Warnings.
    pub warnings: Option<u64>,
    /// Requests that were made.
    pub request_count: Option<u64>,
    /// Sum of the latencies of all requests, in milliseconds.
    pub total_latency_ms: Option<u64>,
}

const TOP: &[&str] = &[
    "monitor_name",
    "monitor_uid",
    "collection_name",
    "collection_uid",
    "environment_name",
    "environment_uid",
    "user_name",
    "user_id",
    "metrics",
];
/// Both spellings that are in the wild; Postman's documents have the first of each pair.
const METRICS: &[&str] = &[
    "failedTests",
    "failedTestCount",
    "passedTests",
    "passedTestCount",
    "errors",
    "errorCount",
    "warnings",
    "warningCount",
    "requestCount",
    "totalLatency",
];

impl MonitorRun {
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        top_level(body, TOP, |top, _| Self::of(top))
    }

    fn of(top: &Fields<'_>) -> Self {
        let metrics = top.object("metrics", METRICS);
        let name = |field| top.text(field).map(|name| name.trim().to_owned());
        Self {
            monitor_name: name("monitor_name"),
            monitor_uid: top.text("monitor_uid"),
            collection_name: name("collection_name"),
            collection_uid: top.text("collection_uid"),
            environment_name: name("environment_name"),
            environment_uid: top.text("environment_uid"),
            user_name: name("user_name"),
            user_id: top.text("user_id").or_else(|| top.count(&["user_id"]).map(|id| id.to_string())),
            failed_tests: metrics.count(&["failedTests", "failedTestCount"]),
            passed_tests: metrics.count(&["passedTests", "passedTestCount"]),
            errors: metrics.count(&["errors", "errorCount"]),
            warnings: metrics.count(&["warnings", "warningCount"]),
            request_count: metrics.count(&["requestCount"]),
            total_latency_ms: metrics.count(&["totalLatency"]),
        }
    }

    /// Id of the monitor without owner prefix, as Postman's API takes it.
    #[must_use]
    pub fn monitor_id(&self) -> Option<&str> {
        self.monitor_uid.as_deref().map(without_owner)
    }

    /// Id of the collection without owner prefix.
    #[must_use]
    pub fn collection_id(&self) -> Option<&str> {
        self.collection_uid.as_deref().map(without_owner)
    }

    /// Id of the environment without owner prefix.
    #[must_use]
    pub fn environment_id(&self) -> Option<&str> {
        self.environment_uid.as_deref().map(without_owner)
    }
}
