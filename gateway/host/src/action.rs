//! Actions: named operations of a plugin that people start.

use std::time::Duration;

use postroom_abi as abi;
use postroom_core::limits;
use serde_json::{Map, Value};

use crate::{
    config_fault::{self, ConfigFault},
    mask::Mask,
    native::Status,
};

/// Most actions of one destination that are carried out at once.
pub(crate) const RUNNING_MAX: u32 = 4;
/// Largest input of an action, as JSON.
pub const ACTION_INPUT_BYTES_MAX: usize = 1024 * 1024;
/// Largest output of an action, as JSON.
pub(crate) const OUTPUT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What a person wants done.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionCall {
    /// One of the plugin's actions.
    pub name: String,
    /// What it takes.
    pub input: Map<String, Value>,
    /// How long it may take.
    pub time_limit: Duration,
}

/// Why an action gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ActionError {
    /// The plugin has no such action.
    #[error("the plugin has no action of this name")]
    Unknown,
    /// The schema or the plugin has something against the input.
    #[error("the input does not fit: {}", config_fault::list(faults))]
    Input {
        /// What is wrong with it; never empty.
        faults: Vec<ConfigFault>,
    },
    /// The input is too large.
    #[error("the input has more than {ACTION_INPUT_BYTES_MAX} bytes")]
    InputTooLarge,
    /// Something that the input names is not there.
    #[error("the plugin does not find it: {reason}")]
    NotFound {
        /// The plugin's words.
        reason: String,
    },
    /// The plugin does not do it as things stand.
    #[error("the plugin refuses: {reason}")]
    Refused {
        /// The plugin's words.
        reason: String,
    },
    /// The plugin cannot do it now.
    #[error("the plugin cannot do this now: {reason}")]
    Unavailable {
        /// The plugin's words.
        reason: String,
    },
    /// There is no plugin that could be asked.
    #[error("the plugin does not run: {reason}")]
    NotRunning {
        /// Why not.
        reason: String,
    },
    /// As many actions as may be are under way.
    #[error("{RUNNING_MAX} actions are under way at this destination, try again when one has ended")]
    Busy,
    /// It was not done in time. What it had done by then is done.
    #[error("the action was not done within {limit:?} and was given up; what it had done by then stays done")]
    TimedOut {
        /// How long it was given.
        limit: Duration,
    },
    /// The plugin's process ended before the action was done.
    #[error("the plugin's process ended before the action was done: {reason}")]
    Ended {
        /// How it ended.
        reason: String,
    },
    /// The plugin has a fault.
    #[error("the plugin failed: {reason}")]
    Failed {
        /// What is wrong.
        reason: String,
    },
}

/// The end of an action as the plugin gave it: copied and cut, not yet believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ActionReport {
    /// `POSTROOM_OK` or `POSTROOM_E_*`.
    pub(crate) status: i32,
    pub(crate) output_json: String,
    pub(crate) message: String,
}

impl ActionReport {
    /// A report that is nothing but a status.
    pub(crate) fn of(status: i32) -> Self {
        Self { status, ..Self::default() }
    }

    /// What the caller gets. Texts lose their secrets first, so that every check sees what is shown.
    pub(crate) fn accept(&self, mask: &Mask) -> Result<Map<String, Value>, ActionError> {
        let reason = || {
            let message = mask.one_line(&self.message, limits::MESSAGE_BYTES_MAX);
            if message.is_empty() { Status(self.status).to_string() } else { message }
        };
        match self.status {
            abi::POSTROOM_OK => output(&mask.text(&self.output_json, usize::MAX)),
            abi::POSTROOM_E_INVALID => Err(ActionError::Input { faults: self.faults(&reason(), mask) }),
            abi::POSTROOM_E_NOT_FOUND => Err(ActionError::NotFound { reason: reason() }),
            abi::POSTROOM_E_CONFLICT | abi::POSTROOM_E_DENIED | abi::POSTROOM_E_CONFIG => {
                Err(ActionError::Refused { reason: reason() })
            }
            abi::POSTROOM_E_UNAVAILABLE | abi::POSTROOM_E_BUSY => {
                Err(ActionError::Unavailable { reason: reason() })
            }
            // Of an instance that is being stopped.
            abi::POSTROOM_E_STALE => {
                Err(ActionError::NotRunning { reason: "it is being stopped".to_owned() })
            }
            abi::POSTROOM_E_TOO_LARGE if self.message.is_empty() => {
                Err(failed(format!("its output has more than {OUTPUT_BYTES_MAX} bytes")))
            }
            _ => Err(failed(reason())),
        }
    }

    /// What the plugin has against the input; without a word to a member, its message speaks of the whole.
    fn faults(&self, reason: &str, mask: &Mask) -> Vec<ConfigFault> {
        let faults = config_fault::read_report(&self.output_json);
        if faults.is_empty() {
            return vec![ConfigFault { path: String::new(), message: reason.to_owned() }];
        }
        config_fault::accept(faults, mask)
    }
}

fn output(json: &str) -> Result<Map<String, Value>, ActionError> {
    // Numbers and keys may be secrets too, and then what is left is no JSON.
    serde_json::from_str(json).map_err(|_| {
        failed("its output is not a JSON object, or no longer one without the secrets in it".to_owned())
    })
}

fn failed(reason: String) -> ActionError {
    ActionError::Failed { reason }
}

#[cfg(test)]
mod tests;
