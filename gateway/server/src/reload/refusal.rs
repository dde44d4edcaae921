//! Why a reload changes nothing.

use postroom_engine::SteerError;
use postroom_host::ReloadError;

use crate::config::{Fault, Faults, LoadError, resolve::Resolved};

/// Why nothing has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The configuration has faults, or a plugin does not run with it: one line for each.
    Faulty(Vec<String>),
    /// The gateway is stopping.
    Stopping,
}

impl Refusal {
    /// One line for each reason.
    pub(crate) fn reasons(&self) -> Vec<String> {
        match self {
            Self::Faulty(reasons) => reasons.clone(),
            Self::Stopping => vec!["the gateway is stopping".to_owned()],
        }
    }
}

impl From<Faults> for Refusal {
    fn from(faults: Faults) -> Self {
        let Faults { file, faults } = faults;
        let line = |mut fault: Fault| {
            let hint = fault.hint.take().map(|hint| format!(" ({hint})"));
            let fault = Faults { file: file.clone(), faults: vec![fault] };
            format!("{fault}{}", hint.unwrap_or_default())
        };
        Self::Faulty(faults.into_iter().map(line).collect())
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Faulty(faults) => faults.into(),
            unreadable @ LoadError::Unreadable { .. } => Self::Faulty(vec![unreadable.to_string()]),
        }
    }
}

/// What stands against a destination whose new process is not ready.
pub(super) fn faults(resolved: &Resolved, error: ReloadError) -> Vec<Fault> {
    match error {
        ReloadError::Refused { faults } => {
            faults.iter().map(|fault| resolved.fault(&fault.path, &fault.message)).collect()
        }
        other => vec![resolved.fault("", &other.to_string())],
    }
}

/// The engine has ended, and the gateway with it.
pub(super) fn stopped(_: SteerError) -> Refusal {
    Refusal::Stopping
}

#[cfg(test)]
mod tests;
