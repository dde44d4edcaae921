//! Actions of plugins, run by people. Each run is logged with the key's name, and never with what the action takes or gives.

use std::{fmt, future::Future, pin::Pin};

use postroom_host::{ACTION_INPUT_BYTES_MAX, Action, ActionCall, ActionError, Instance};
use postroom_openapi::{
    actions,
    auth::Caller,
    port::{NewRun, RunError},
};
use serde_json::{Map, Value};

use super::{Api, DestinationInfo};

type Acting<'a> = Pin<Box<dyn Future<Output = Result<Map<String, Value>, ActionError>> + Send + 'a>>;

/// Carries out the actions of a destination's plugin.
pub(crate) trait Acts: fmt::Debug + Send + Sync {
    /// Carries out an action.
    fn act(&self, call: ActionCall) -> Acting<'_>;
}

impl Acts for Instance {
    fn act(&self, call: ActionCall) -> Acting<'_> {
        Box::pin(Self::act(self, call))
    }
}

impl Api {
    pub(super) fn actions_of(&self, destination: &str) -> Option<Vec<actions::Action>> {
        Some(self.info(destination)?.actions.iter().map(action).collect())
    }

    pub(super) async fn run(
        &self,
        destination: &str,
        run: NewRun,
        by: &Caller,
    ) -> Result<Option<Map<String, Value>>, RunError> {
        let Some(info) = self.info(destination) else { return Ok(None) };
        let NewRun { action, input, time_limit } = run;
        if !info.actions.iter().any(|known| known.name == action) {
            return Err(RunError::UnknownAction);
        }
        // Before it begins: what it does by then stays done, whatever becomes of the rest.
        tracing::info!(by = by.name, destination, action, "a person runs an action");
        let done = info.acts.act(ActionCall { name: action.clone(), input, time_limit }).await;
        match &done {
            Ok(_) => tracing::info!(by = by.name, destination, action, "action done"),
            Err(error) => {
                tracing::warn!(by = by.name, destination, action, error = reason(error), "action not done");
            }
        }
        done.map(Some).map_err(told)
    }

    fn info(&self, destination: &str) -> Option<DestinationInfo> {
        self.0.destinations.all().iter().find(|info| info.name.as_str() == destination).cloned()
    }
}

/// An action as the API describes it.
pub(super) fn action(action: &Action) -> actions::Action {
    let schema = |schema: &Option<Value>| {
        let schema = schema.as_ref().and_then(Value::as_object);
        schema.map(|schema| schema.clone().into_iter().collect())
    };
    actions::Action {
        name: action.name.clone(),
        title: action.title.clone(),
        description: action.description.clone(),
        danger: action.danger,
        input_schema: schema(&action.input_schema),
        output_schema: schema(&action.output_schema),
    }
}

/// What went wrong, without the plugin's own words: they may repeat the input. Whoever runs the action gets them.
fn reason(error: &ActionError) -> String {
    match error {
        ActionError::Input { .. } => "the input does not fit".to_owned(),
        ActionError::NotFound { .. } => "the plugin does not find what is meant".to_owned(),
        ActionError::Refused { .. } => "the plugin refuses".to_owned(),
        ActionError::Unavailable { .. } => "the plugin cannot do this now".to_owned(),
        ActionError::Failed { .. } => "the plugin failed".to_owned(),
        other => other.to_string(),
    }
}

fn told(error: ActionError) -> RunError {
    let reason = error.to_string();
    match error {
        ActionError::Unknown => RunError::UnknownAction,
        ActionError::Input { faults } => {
            RunError::Input { reasons: faults.iter().map(ToString::to_string).collect() }
        }
        ActionError::InputTooLarge => RunError::InputTooLarge { bytes_max: ACTION_INPUT_BYTES_MAX },
        ActionError::NotFound { .. } => RunError::NotFound { reason },
        ActionError::Refused { .. } => RunError::Refused { reason },
        ActionError::Unavailable { .. } | ActionError::NotRunning { .. } | ActionError::Busy => {
            RunError::Unavailable { reason }
        }
        ActionError::TimedOut { .. } => RunError::TimedOut { reason },
        ActionError::Ended { .. } | ActionError::Failed { .. } => RunError::Failed { reason },
    }
}

/// A plugin without actions.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct NoActions;

#[cfg(test)]
impl Acts for NoActions {
    fn act(&self, _: ActionCall) -> Acting<'_> {
        Box::pin(async { Err(ActionError::Unknown) })
    }
}

#[cfg(test)]
mod tests;
