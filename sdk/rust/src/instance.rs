//! One instance of a plugin: create, deliver, cancel, health, drain, destroy, in safe Rust.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use crate::{
    action::{ActionCall, ActionError, Actions},
    config,
    event::Event,
    ffi::{ActionLease, Ending, HostTable, Lease, Leases},
    host::{Delivery, Host},
    outcome::{Failure, Outcome},
    panic::{Guarded, guard},
    plugin::{CreateError, Health, Plugin},
    runtime::{RuntimeThread, blocking_threads},
};

/// Longest wait that is handed to the host; more would not fit its milliseconds.
const WAIT_MS_MAX: u64 = i64::MAX as u64;
/// Longest code the contract allows, in bytes.
const CODE_BYTES_MAX: usize = 64;

pub(crate) struct Instance<P> {
    plugin: Arc<P>,
    host: Host,
    runtime: RuntimeThread,
    running: Arc<Running>,
    actions: Actions<P>,
    /// The actions in flight, whose tokens are not those of deliveries.
    acting: Arc<Running>,
    leases: Leases,
}

/// Why there is no instance.
#[derive(Debug)]
pub(crate) enum NotCreated {
    Refused(CreateError),
    Panicked(String),
}

impl<P: Plugin> Instance<P> {
    pub(crate) fn create(host: Arc<HostTable>, config_json: &[u8]) -> Result<Self, NotCreated> {
        let host = Host::new(host);
        let actions = P::actions();
        let config = config::parse_for::<P>(config_json)
            .map_err(|faults| NotCreated::Refused(CreateError::Config(config::in_one_line(&faults))))?;
        #[cfg(feature = "tracing")]
        let on_thread_start = crate::trace::on_thread_start::<P>(&host);
        #[cfg(not(feature = "tracing"))]
        let on_thread_start = || {};
        let blocking = blocking_threads(P::DECLARED.threads());
        let runtime = RuntimeThread::start(blocking, on_thread_start).map_err(|error| {
            NotCreated::Refused(CreateError::Unavailable(format!("no thread for the plugin: {error}")))
        })?;
        // On the instance's own thread, so that the author may spawn tasks and open connections.
        let work = P::create(host.clone(), config);
        let created =
            runtime.run(Guarded::new(work)).unwrap_or_else(|| Err("the thread has ended".to_owned()));
        let refusal = match created {
            Ok(Ok(plugin)) => {
                return Ok(Self {
                    plugin: Arc::new(plugin),
                    host,
                    runtime,
                    running: Arc::default(),
                    actions,
                    acting: Arc::default(),
                    leases: Leases::new(),
                });
            }
            Ok(Err(refused)) => NotCreated::Refused(refused),
            Err(message) => NotCreated::Panicked(message),
        };
        runtime.stop();
        Err(refusal)
    }

    pub(crate) fn host(&self) -> Arc<HostTable> {
        Arc::clone(self.host.table())
    }

    pub(crate) fn leases(&self) -> &Leases {
        &self.leases
    }

    /// Starts the delivery of what is on `lease`; it is completed when the lease is dropped.
    pub(crate) fn deliver(&self, token: u64, lease: Lease) {
        let lease = Arc::new(lease);
        let delivery = Delivery::new(self.host.clone(), token, lease.event().deadline_unix_ms);
        let event = Event::new(Arc::clone(&lease));
        let cancelled = self.running.enter(token);
        let running = Arc::clone(&self.running);
        let plugin = Arc::clone(&self.plugin);
        let work = Guarded::new(async move { plugin.deliver(&event, &delivery).await });
        #[cfg(feature = "tracing")]
        let work = crate::trace::InDelivery::new(token, work);
        self.runtime.spawn(async move {
            // The loser is dropped before the winner's branch runs: nothing of the author's is left when it ends.
            let ending = tokio::select! {
                ended = work => ending(ended),
                _ = cancelled => failure(Failure::retry("cancelled", "the gateway gave the attempt up")),
            };
            running.leave(token);
            lease.end(ending);
        });
    }

    /// Drops the delivery's future, if it still runs.
    pub(crate) fn cancel(&self, token: u64) {
        // Dropping the sender is the message.
        drop(self.running.leave(token));
    }

    /// Starts an action; it ends when the lease is dropped.
    pub(crate) fn run_action(&self, lease: ActionLease, name: &[u8], input: &[u8], deadline_unix_ms: u64) {
        let call = ActionCall::new(self.host.clone(), deadline_unix_ms);
        let name = String::from_utf8_lossy(name);
        let Some(work) = self.actions.run(&name, Arc::clone(&self.plugin), input, call) else {
            return lease.end(Ok(Err(ActionError::not_found("the plugin has no action of this name"))));
        };
        let token = lease.token();
        let cancelled = self.acting.enter(token);
        let acting = Arc::clone(&self.acting);
        let work = Guarded::new(work);
        self.runtime.spawn(async move {
            // As with a delivery.
            let ended = tokio::select! {
                ended = work => ended,
                _ = cancelled => Ok(Err(ActionError::unavailable("the gateway gave the action up"))),
            };
            acting.leave(token);
            lease.end(ended);
        });
    }

    /// Drops the action's future, if it still runs.
    pub(crate) fn cancel_action(&self, token: u64) {
        drop(self.acting.leave(token));
    }

    pub(crate) fn health(&self) -> Health {
        self.plugin.health()
    }

    /// Lets the author flush, not beyond `deadline_unix_ms`.
    pub(crate) fn drain(&self, deadline_unix_ms: u64) {
        let limit = Duration::from_millis(deadline_unix_ms.saturating_sub(self.host.now_unix_ms()));
        let plugin = Arc::clone(&self.plugin);
        let work = Guarded::new(async move { plugin.drain().await });
        match self.runtime.run(async move { tokio::time::timeout(limit, work).await }) {
            Some(Ok(Ok(()))) | None => {}
            Some(Ok(Err(message))) => self.host.log().error(format_args!("drain panicked: {message}")),
            Some(Err(_)) => self.host.log().warn("drain did not end in time"),
        }
    }

    /// Ends everything: tasks first, then the author's value, then waits until no one reads the host's memory.
    pub(crate) fn destroy(self) {
        self.runtime.stop();
        let plugin = self.plugin;
        // The panic hook has printed a panic in the author's `Drop`; nobody else is left to be told.
        drop(guard(|| drop(plugin)));
        self.leases.wait_until_returned();
    }
}

/// What is in flight, with the means to cancel it.
#[derive(Debug, Default)]
struct Running(Mutex<HashMap<u64, oneshot::Sender<()>>>);

impl Running {
    fn enter(&self, token: u64) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        self.lock().insert(token, cancel);
        cancelled
    }

    fn leave(&self, token: u64) -> Option<oneshot::Sender<()>> {
        self.lock().remove(&token)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the author's future came to: an answer, or the message of a panic.
fn ending(ended: Result<Result<Outcome, Failure>, String>) -> Ending {
    match ended {
        Ok(Ok(outcome)) => success(outcome),
        Ok(Err(refused)) => failure(refused),
        Err(message) => failure(Failure::retry("panic", format!("the plugin panicked: {message}"))),
    }
}

fn success(outcome: Outcome) -> Ending {
    let kind = if outcome.skipped {
        postroom_abi::POSTROOM_OUT_SKIPPED
    } else {
        postroom_abi::POSTROOM_OUT_DELIVERED
    };
    let message = outcome.message.clone();
    let record_json = outcome.record().map(|record| record.to_string()).unwrap_or_default();
    Ending { kind, retry_after_ms: 0, code: String::new(), message, record_json }
}

fn failure(failure: Failure) -> Ending {
    let (kind, after, code, message) = match failure {
        Failure::Retry { after, code, message } => (postroom_abi::POSTROOM_OUT_RETRY, after, code, message),
        Failure::RateLimited { after, message } => {
            (postroom_abi::POSTROOM_OUT_RATE_LIMITED, Some(after), "rate_limited".to_owned(), message)
        }
        Failure::Permanent { code, message } => (postroom_abi::POSTROOM_OUT_PERMANENT, None, code, message),
        Failure::Misconfigured { code, message } => {
            (postroom_abi::POSTROOM_OUT_MISCONFIGURED, None, code, message)
        }
    };
    let retry_after_ms = after.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(WAIT_MS_MAX));
    Ending { kind, retry_after_ms, code: plain_code(&code), message, record_json: String::new() }
}

/// The code as the contract wants it: what does not belong becomes `_`.
fn plain_code(code: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c @ ('a'..='z' | '0'..='9' | '_' | '.') => c,
        _ => '_',
    };
    code.chars().take(CODE_BYTES_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests;
