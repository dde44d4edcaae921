//! What the configuration says about the tracker.

use std::{sync::Arc, time::Duration};

use postroom_core::monitor::{BackupRule, Rules};

use super::Failures;

/// What the configuration says about the tracker.
#[derive(Debug, Clone, Default)]
pub struct Tracking {
    /// Whether the log is followed at all. Turned on again, it goes on from where it was.
    pub enabled: bool,
    /// What makes an incident, and of which monitor.
    pub rules: Rules,
    /// Which collections' backups are missed. Of those that match, the last one counts.
    pub backups: Vec<BackupRule>,
    /// Who knows what failed in a run; without it nobody is asked.
    pub enrich: Option<Enrich>,
}

/// Who knows what failed in a run.
#[derive(Debug, Clone)]
pub struct Enrich {
    /// Whom to ask.
    pub failures: Arc<dyn Failures>,
    /// How long what is told may wait for the answers; with zero nobody is asked.
    pub wait: Duration,
}
