//! Actions: what people have the plugin do beside delivering.

use serde_json::{Map, Value};

use super::{Instance, Phase};
use crate::action::{ActionCall, ActionError};

impl Instance {
    /// Has the plugin carry out one of the actions of its manifest, and gives what it gave.
    ///
    /// The input is checked against the action's schema first. At most 4 actions of an instance are carried out at once;
    /// what takes longer than its time limit is cancelled. A plugin that is not running is not waited for: a person is
    /// there to try again.
    ///
    /// Dropping the future cancels the action too. What it has done by then stays done.
    ///
    /// # Errors
    /// Why it gave nothing.
    pub async fn act(&self, call: ActionCall) -> Result<Map<String, Value>, ActionError> {
        let not_running = |reason: &str| Err(ActionError::NotRunning { reason: reason.to_owned() });
        let current = self.phase.borrow().clone();
        match current {
            Phase::Ready(process) => process.act(call).await,
            Phase::Waiting => not_running("it is being started"),
            Phase::Refused(reason) => not_running(&format!("it refuses its config: {reason}")),
            Phase::Stopped => not_running("it is stopped"),
        }
    }
}
