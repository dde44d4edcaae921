//! From an event to what ITOC360 should know: which monitor, and whether its alert fires or is resolved.

mod incident;

use std::time::Duration;

use postroom_sdk::{Event, Failure, MonitorRun, Payload, Verdict, kind};

use crate::{
    alertmanager::Status,
    config::{Mode, Origin},
    facts::{Counts, Facts, What},
    memory::Told,
    severity::{Severity, SeverityMap},
};

/// What ITOC360 should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signal {
    /// The same for all that belongs to one incident: ITOC360 finds it by this.
    pub(crate) fingerprint: String,
    /// When what it tells of began, in milliseconds since 1970, if the event says so.
    pub(crate) began_unix_ms: Option<u64>,
    pub(crate) facts: Facts,
}

/// What an event comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading {
    Signal(Box<Signal>),
    /// A run that does not say whether it passed.
    Unclear,
    /// None of what the destination takes, and why.
    NotTaken(String),
}

/// What of the settings says which events are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Takes {
    pub(crate) mode: Mode,
    pub(crate) from: Origin,
    pub(crate) severity: SeverityMap,
}

/// Kinds that the gateway makes of what it sees of a monitor.
const INCIDENT_OPENED: &str = "incident_opened";
const INCIDENT_REMINDER: &str = "incident_reminder";
const INCIDENT_RESOLVED: &str = "incident_resolved";
const MONITOR_SILENT: &str = "monitor_silent";
const MONITOR_RESUMED: &str = "monitor_resumed";

impl Takes {
    /// Reads an event.
    pub(crate) fn read(&self, event: &Event) -> Result<Reading, Failure> {
        let (what, status) = match event.kind() {
            kind::MONITOR_RUN if self.from == Origin::Runs => return self.run(event),
            kind::MONITOR_RUN => {
                return Ok(not_taken("the destination takes incidents, not runs: see its setting `from`"));
            }
            INCIDENT_OPENED | INCIDENT_REMINDER => (What::Failing, Status::Firing),
            INCIDENT_RESOLVED => (What::Failing, Status::Resolved),
            MONITOR_SILENT => (What::Silent, Status::Firing),
            MONITOR_RESUMED => (What::Silent, Status::Resolved),
            other => return Ok(Reading::NotTaken(format!("{other} is nothing that ITOC360 is told of"))),
        };
        if self.mode == Mode::Postman {
            let why = format!("mode postman sends runs as Postman made them; {} is none", event.kind());
            return Ok(Reading::NotTaken(why));
        }
        if what == What::Failing && self.from == Origin::Runs {
            return Ok(not_taken("the destination takes runs, not incidents: see its setting `from`"));
        }
        incident::read(event, what, status, self.severity).map(|signal| Reading::Signal(Box::new(signal)))
    }

    fn run(&self, event: &Event) -> Result<Reading, Failure> {
        let status = match event.verdict() {
            Some(Verdict::Failed) => Status::Firing,
            Some(Verdict::Passed) => Status::Resolved,
            Some(Verdict::Unknown) | None => return Ok(Reading::Unclear),
        };
        let run = match event.payload() {
            Payload::MonitorRun(run) => run,
            _ if self.mode == Mode::Alertmanager => {
                return Err(Failure::permanent("no_run", "the body has no monitor run that can be read"));
            }
            // ITOC360 gets the body, whatever can be read of it here.
            _ => MonitorRun::default(),
        };
        // Without an id the name tells monitors apart, and without a name the key that orders them.
        let id = run.monitor_id().or(run.monitor_name.as_deref()).or(event.ordering_key());
        let id = id.unwrap_or(event.source()).to_owned();
        Ok(Reading::Signal(Box::new(Signal {
            fingerprint: id.clone(),
            began_unix_ms: None,
            facts: Facts {
                what: What::Failing,
                status,
                severity: self.severity_of(&run, status),
                id,
                source: event.source().to_owned(),
                monitor_id: run.monitor_id().map(str::to_owned),
                counts: Counts::from(&run),
                monitor: run.monitor_name,
                collection: run.collection_name,
                environment: run.environment_name,
                runs: None,
                failed_runs: None,
                duration: None,
                failures: Vec::new(),
            },
        })))
    }

    /// A run with errors could not be carried out as a whole, which is worse than a test that failed.
    fn severity_of(&self, run: &MonitorRun, status: Status) -> Severity {
        let has_errors = run.errors.is_some_and(|errors| errors > 0);
        match status {
            // How bad it was, only the run says that failed.
            Status::Resolved => Severity::Info,
            Status::Firing if has_errors => self.severity.errors,
            Status::Firing => self.severity.failed_tests,
        }
    }
}

fn not_taken(why: &str) -> Reading {
    Reading::NotTaken(why.to_owned())
}

impl Signal {
    /// Adds what is remembered of the incident that it belongs to, and gives when that began, in milliseconds since 1970.
    pub(crate) fn recall(&mut self, told: Option<&Told>, received_unix_ms: u64) -> u64 {
        let open = told.filter(|told| told.failing);
        if let (Some(told), Status::Resolved) = (open, self.facts.status) {
            // What ends has the severity that it began with.
            self.facts.severity = told.severity;
        }
        let known = self.began_unix_ms.or(open.map(|told| told.since_unix_ms));
        if let Some(began) = known {
            let lasted = Duration::from_millis(received_unix_ms.saturating_sub(began));
            self.facts.duration.get_or_insert(lasted);
        }
        known.unwrap_or(received_unix_ms)
    }
}

#[cfg(test)]
mod tests;
