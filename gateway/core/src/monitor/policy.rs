//! What makes an incident of runs, for one monitor.

use std::{sync::Arc, time::Duration};

use super::SeverityRule;
use crate::schedule::Schedule;

/// What makes an incident of runs, and silence of their absence.
///
/// The default is what ITOC360 does with the runs themselves: a failed one opens, a passed one resolves, and one that
/// says neither does nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Failed runs in a row that open an incident; 0 counts as 1.
    pub open_after: u32,
    /// Passed runs in a row that resolve it; 0 counts as 1.
    pub resolve_after: u32,
    /// How often to remind of one that is open.
    pub remind_every: Option<Duration>,
    /// When a monitor that fails and passes in turn is one incident.
    pub flap: Option<Flap>,
    /// What a run without requests counts as.
    pub empty_runs: Treat,
    /// What a run without a usable failure counter counts as.
    pub unknown_runs: Treat,
    /// How bad a failed run is: the first that holds.
    pub severity: Arc<[SeverityRule]>,
    /// When the absence of runs is silence.
    pub silence: Silence,
    /// While this is open the monitor is muted.
    pub maintenance: Option<Arc<Schedule>>,
    /// The share of runs that should pass, 0 to 1.
    pub slo: Option<f64>,
}

/// A monitor flaps when its verdict has turned at least `changes` times over its last `of` runs that count. Flapping
/// opens an incident whatever `open_after` says, and nothing resolves it until the monitor is calm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flap {
    /// Turns, at least 2.
    pub changes: u32,
    /// Runs looked at, at most 32.
    pub of: u32,
}

/// What becomes of a run that is not simply passed or failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treat {
    /// It does not count: neither opens nor resolves, and breaks no row.
    Ignore,
    /// It counts as failed.
    Fail,
    /// It counts as its verdict says; unknown does not count.
    AsReported,
}

/// When the absence of runs is silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silence {
    /// When it is longer than what the monitor has done before.
    Learned,
    /// After so long.
    After(Duration),
    /// Never.
    Never,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            open_after: 1,
            resolve_after: 1,
            remind_every: None,
            flap: None,
            empty_runs: Treat::AsReported,
            unknown_runs: Treat::Ignore,
            severity: Arc::default(),
            silence: Silence::Learned,
            maintenance: None,
            slo: None,
        }
    }
}
