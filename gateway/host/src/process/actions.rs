//! Actions that people have the plugin carry out, beside its deliveries.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::{Map, Value};
use tokio::{
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::spawn_blocking,
    time::timeout,
};

use super::Process;
use crate::{
    action::{ACTION_INPUT_BYTES_MAX, ActionCall, ActionError, ActionReport, RUNNING_MAX},
    clock, json_schema,
    manifest::Action,
    wire::Frame,
};

/// A token that the gateway never gave out, or that has ended before.
#[derive(Debug, thiserror::Error)]
#[error("it ended action {0}, which it does not have")]
pub(super) struct UnknownAction(u64);

/// The actions inside one process.
///
/// One that was given up keeps its place until the plugin ends it: a plugin that never does gets no more than so many, and
/// its deliveries go on.
#[derive(Debug, Default)]
pub(super) struct Actions {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    last_token: u64,
    running: HashMap<u64, oneshot::Sender<ActionReport>>,
    closed: bool,
    /// The process ended while there were some.
    interrupted: bool,
}

impl Actions {
    /// Notes an action before it is sent.
    fn begin(self: &Arc<Self>, outgoing: &mpsc::Sender<Frame>) -> Result<InFlight, ActionError> {
        let (sender, report) = oneshot::channel();
        let mut state = self.lock();
        if state.closed {
            return Err(ended());
        }
        if state.running.len() >= RUNNING_MAX as usize {
            return Err(ActionError::Busy);
        }
        state.last_token += 1;
        let token = state.last_token;
        state.running.insert(token, sender);
        Ok(InFlight { actions: Arc::clone(self), outgoing: outgoing.clone(), token, report })
    }

    /// The process says that an action has ended.
    pub(super) fn end(&self, token: u64, report: ActionReport) -> Result<(), UnknownAction> {
        let sender = self.lock().running.remove(&token).ok_or(UnknownAction(token))?;
        // Nobody waits for the report when the action was given up.
        drop(sender.send(report));
        Ok(())
    }

    /// The process has ended, and all its actions with it. Of several ends the first holds.
    pub(super) fn close(&self) {
        let mut state = self.lock();
        if state.closed {
            return;
        }
        state.closed = true;
        state.interrupted = !state.running.is_empty();
        state.running.clear();
    }

    /// Whether the process ended while an action was inside.
    pub(super) fn were_interrupted(&self) -> bool {
        self.lock().interrupted
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An action that somebody waits for. Dropped before its end, it is cancelled.
#[derive(Debug)]
struct InFlight {
    actions: Arc<Actions>,
    outgoing: mpsc::Sender<Frame>,
    token: u64,
    report: oneshot::Receiver<ActionReport>,
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.actions.lock().running.contains_key(&self.token) {
            // Without room the plugin works on to its own end, and keeps the place so long.
            drop(self.outgoing.try_send(Frame::cancel_action(self.token)));
        }
    }
}

impl Process {
    /// Has the plugin carry out an action, and waits for its end.
    pub(crate) async fn act(&self, call: ActionCall) -> Result<Map<String, Value>, ActionError> {
        let ActionCall { name, input, time_limit } = call;
        let action = self.actions().iter().find(|action| action.name == name).ok_or(ActionError::Unknown)?;
        let schema = action.input_schema.clone();
        let input_json = aside(move || checked(input, schema.as_ref())).await?;
        let mut in_flight = self.actions.begin(&self.outgoing)?;
        let deadline_unix_ms = clock::unix_ms(clock::now().plus(time_limit));
        let frame = Frame::action(in_flight.token, deadline_unix_ms, &name, input_json);
        if let Err(error) = self.outgoing.try_send(frame) {
            // It never got there, so nobody is going to end it.
            self.actions.lock().running.remove(&in_flight.token);
            return Err(match error {
                TrySendError::Full(_) => ActionError::Busy,
                TrySendError::Closed(_) => ended(),
            });
        }
        match timeout(time_limit, &mut in_flight.report).await {
            Ok(Ok(report)) => self.believed(report).await,
            Ok(Err(_)) => Err(ActionError::Ended { reason: self.exited().await.to_string() }),
            Err(_) => Err(ActionError::TimedOut { limit: time_limit }),
        }
    }

    /// What the loaded file says that the plugin can do.
    pub(crate) fn actions(&self) -> &[Action] {
        &self.sealed.plugin.manifest.actions
    }

    async fn believed(&self, report: ActionReport) -> Result<Map<String, Value>, ActionError> {
        let mask = Arc::clone(&self.mask);
        aside(move || report.accept(&mask)).await
    }
}

/// Reads or checks what may be large where nobody waits for anything else: this thread is everybody's.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ActionError> + Send + 'static,
) -> Result<T, ActionError> {
    let stops = || ActionError::NotRunning { reason: "the gateway stops".to_owned() };
    spawn_blocking(work).await.unwrap_or_else(|_| Err(stops()))
}

/// The input as JSON, if it fits.
fn checked(input: Map<String, Value>, schema: Option<&Value>) -> Result<String, ActionError> {
    let input = Value::Object(input);
    let json = input.to_string();
    if json.len() > ACTION_INPUT_BYTES_MAX {
        return Err(ActionError::InputTooLarge);
    }
    let faults = schema.map(|schema| json_schema::faults(&input, schema));
    match faults {
        Some(faults) if !faults.is_empty() => Err(ActionError::Input { faults }),
        _ => Ok(json),
    }
}

fn ended() -> ActionError {
    ActionError::NotRunning { reason: "its process has just ended".to_owned() }
}

#[cfg(test)]
mod tests;
