//! A monitor on the wire.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object, types::Example};

use super::{MonitorRun, Mute};
use crate::{
    events::{NamedId, Verdict},
    time::Timestamp,
};

/// Where the incident machine of a monitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MonitorPhase {
    /// The last run that counts passed, or there has been none.
    Ok,
    /// Runs fail, not enough of them for an incident.
    Failing,
    /// An incident is open.
    Open,
    /// An incident is open, and runs pass, not enough of them to resolve it.
    Recovering,
}

/// Which of Postman's notification policies the runs of a monitor look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum NotificationPolicy {
    /// Nothing can be said yet.
    Unclear,
    /// Every run is sent.
    EveryRun,
    /// Three failures and then the first success are sent: most runs never arrive, so their absence means nothing.
    FailuresThenSuccess,
}

/// How bad an incident is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
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

/// Runs of a monitor by verdict, since its first one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Object)]
pub struct RunCounts {
    /// Runs that passed.
    pub passed: u64,
    /// Runs that failed.
    pub failed: u64,
    /// Runs without a usable failure counter.
    pub unknown: u64,
}

/// The incident of a monitor that is open.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct MonitorIncident {
    /// The incident's id.
    pub id: String,
    /// When it opened.
    pub opened_at: Timestamp,
    /// The worst of its failed runs.
    pub severity: Severity,
    /// Runs that count from the first failed one on.
    pub runs: u32,
    /// Those that failed.
    pub failed_runs: u32,
}

/// How a monitor keeps what is wanted of it, over the last 30 days, as far as there are runs.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct MonitorSlo {
    /// The share of runs that should pass, 0 to 1.
    pub target: f64,
    /// The first moment that counts.
    pub since: Timestamp,
    /// Runs that passed or failed since then.
    pub runs: u64,
    /// Those that failed.
    pub failed: u64,
    /// The share of runs that passed, 0 to 1. Absent without runs.
    pub availability: Option<f64>,
    /// How many of these runs may fail: the error budget.
    pub budget_runs: f64,
    /// Which share of the error budget is left: 1 for all of it, 0 when it is used up, less when more failed.
    pub budget_left: f64,
}

/// A monitor, as its runs show it.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Monitor {
    /// Its id, without the owner's number that Postman sometimes puts before it.
    pub uid: String,
    /// Its name, as sent last.
    pub name: Option<String>,
    /// What the run accepted last says. Absent before the first.
    pub last_verdict: Option<Verdict>,
    /// When that run was accepted.
    pub last_run_at: Option<Timestamp>,
    /// Whether its runs stay away.
    pub silent: bool,
    /// Its last run before the silence. Absent while it is not silent.
    pub silent_since: Option<Timestamp>,
    /// Its incident. Absent when none is open.
    pub incident: Option<MonitorIncident>,
    /// Where its incident machine stands.
    pub phase: MonitorPhase,
    /// Failed runs in a row, of those that count.
    pub failures_in_row: u32,
    /// Passed runs in a row, of those that count.
    pub passes_in_row: u32,
    /// Its runs, counted.
    pub counts: RunCounts,
    /// When its first run was accepted.
    pub first_seen_at: Timestamp,
    /// The collection that it runs.
    pub collection: Option<NamedId>,
    /// The environment that it runs with.
    pub environment: Option<NamedId>,
    /// The source that its last run came in by.
    pub source: String,
    /// The labels of its last run.
    pub labels: BTreeMap<String, String>,
    /// Until when nothing is told of it, as a person wants. Absent when nobody does.
    pub mute: Option<Mute>,
    /// When its maintenance window closes; nothing is told of it until then. Absent outside of one.
    pub maintenance_until: Option<Timestamp>,
    /// Seconds after a run in which the next is to be expected. Absent while that cannot be told.
    pub expected_every_s: Option<u64>,
    /// Which of Postman's notification policies its runs look like.
    pub notification_policy: NotificationPolicy,
    /// What to do about it, for people. Absent when there is nothing to say.
    pub hint: Option<String>,
    /// The run accepted last. Absent in lists.
    pub last_run: Option<MonitorRun>,
    /// How it keeps its objective. Absent in lists, and where the configuration sets none.
    pub slo: Option<MonitorSlo>,
}

impl Example for Monitor {
    fn example() -> Self {
        let at = Timestamp::from_unix_ms(1_790_000_000_125);
        Self {
            uid: "1e8eea47-8a24-4d6e-9f0d-3b6a5a5e3f10".to_owned(),
            name: Some("Checkout smoke test".to_owned()),
            last_verdict: Some(Verdict::Failed),
            last_run_at: Some(at),
            silent: false,
            silent_since: None,
            incident: Some(MonitorIncident {
                id: "0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01".to_owned(),
                opened_at: at,
                severity: Severity::Error,
                runs: 1,
                failed_runs: 1,
            }),
            phase: MonitorPhase::Open,
            failures_in_row: 1,
            passes_in_row: 0,
            counts: RunCounts { passed: 8_611, failed: 9, unknown: 0 },
            first_seen_at: Timestamp::from_unix_ms(1_787_400_000_000),
            collection: Some(NamedId {
                id: Some("5c4b1c9a-6d39-4a1e-8e3e-0f3d9f0c2b77".to_owned()),
                name: Some("Checkout".to_owned()),
            }),
            environment: Some(NamedId { id: None, name: Some("Production".to_owned()) }),
            source: "postman".to_owned(),
            labels: [("team".to_owned(), "payments".to_owned())].into(),
            mute: None,
            maintenance_until: None,
            expected_every_s: Some(300),
            notification_policy: NotificationPolicy::EveryRun,
            hint: None,
            last_run: Some(MonitorRun::example()),
            slo: Some(MonitorSlo {
                target: 0.999,
                since: Timestamp::from_unix_ms(1_787_408_000_125),
                runs: 8_620,
                failed: 9,
                availability: Some(0.998_956),
                budget_runs: 8.62,
                budget_left: -0.044_084,
            }),
        }
    }
}
