//! A plugin in this very process: what a process of its own costs is measured against it, and what it protects from is
//! shown with it. The gateway never runs a plugin like this.
#![expect(unsafe_code, reason = "runs the plugin's code where it can do anything")]

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use postroom_abi::{POSTROOM_LOG_INFO, POSTROOM_OK};
use postroom_core::{event::Verdict, secret::Secret};
use tokio::sync::oneshot;

use crate::{
    action::ActionReport,
    body::PluginBody,
    clock,
    delivery::{Delivered, PluginDelivery},
    inspect::PluginFile,
    mask::Mask,
    native::{self, Host, Instance, Services},
    offer::Offer,
    outcome::Report,
    plugin_emit::EmitRequest,
    plugin_log::LogRecord,
    plugin_metrics::{Measurement, MetricKind},
    plugin_state::StateOperation,
};

/// An instance of a plugin in this process.
pub struct InProcess {
    instance: Instance,
    waiting: Waiting,
    mask: Mask,
    next_token: AtomicU64,
}

/// Why there is no instance: the whole story in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct InProcessError(String);

impl std::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl InProcess {
    /// Opens the plugin's library, for good, and makes an instance.
    ///
    /// # Errors
    /// Says why the library cannot be used, or what the plugin has against its settings.
    ///
    /// # Safety
    /// The plugin's code may do whatever this process can, at any time from now on.
    pub unsafe fn start(plugin: &PluginFile, config: &serde_json::Value) -> Result<Self, InProcessError> {
        let failed = |error: &dyn std::fmt::Display| InProcessError(error.to_string());
        // SAFETY: what the caller has accepted.
        let library = unsafe { native::load(&plugin.path) }.map_err(|error| failed(&error))?;
        let config = config.to_string();
        library.validate(&config).map_err(|error| failed(&error))?;
        let waiting = Waiting::default();
        let host = Host::new(Box::new(waiting.clone()));
        let instance = Instance::create(library, &config, host).map_err(|error| failed(&error))?;
        Ok(Self { instance, waiting, mask: Mask::default(), next_token: AtomicU64::new(1) })
    }

    /// Has the plugin deliver, and waits until it has: no time limit, no cancel. The body has to be in memory.
    pub async fn deliver(&self, delivery: &PluginDelivery) -> Delivered {
        let PluginBody::Bytes(body) = &delivery.body else { return Delivered::NotAccepted };
        let token = self.next_token.fetch_add(1, Ordering::Relaxed);
        let (sender, ended) = oneshot::channel();
        self.waiting.lock().insert(token, sender);
        if self.instance.deliver(offer(token, delivery, body.clone())) != POSTROOM_OK {
            self.waiting.lock().remove(&token);
            return Delivered::NotAccepted;
        }
        match ended.await {
            Ok(report) => Delivered::Outcome(report.accept(&self.mask).0),
            Err(_) => Delivered::Cancelled,
        }
    }

    /// Ends the instance. The library stays.
    pub fn stop(&self, deadline: Duration) {
        let deadline_unix_ms = clock::unix_ms(clock::now().plus(deadline));
        self.instance.drain(deadline_unix_ms);
        self.instance.wait_idle(deadline);
        self.instance.destroy();
    }
}

fn offer(token: u64, delivery: &PluginDelivery, body: Bytes) -> Offer {
    let event = &delivery.event;
    let text = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Offer {
        token,
        attempt: delivery.attempt,
        received_unix_ms: clock::unix_ms(event.received_at),
        deadline_unix_ms: clock::unix_ms(delivery.deadline),
        deadline_max_unix_ms: clock::unix_ms(delivery.deadline_max()),
        id: text(&event.id.to_string()),
        kind: text(event.kind.as_str()),
        subject: text(event.subject.as_deref().unwrap_or_default()),
        verdict: text(event.verdict.map_or("", Verdict::as_str)),
        source: text(event.source.as_str()),
        content_type: text(event.content_type.as_deref().unwrap_or_default()),
        ordering_key: text(event.ordering_key.as_ref()),
        labels: event.labels.iter().map(|(key, value)| (text(key), text(value))).collect(),
        body,
    }
}

/// Who waits for which delivery.
#[derive(Clone, Default)]
struct Waiting(Arc<Mutex<HashMap<u64, oneshot::Sender<Report>>>>);

impl Waiting {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Report>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services for Waiting {
    fn completed(&self, token: u64, report: Report) {
        let waiting = self.lock().remove(&token);
        if let Some(waiting) = waiting {
            // Whoever has stopped waiting is not interested.
            drop(waiting.send(report));
        }
    }

    fn released(&self, token: u64, report: Report) {
        self.completed(token, report);
    }

    fn log_level(&self) -> u32 {
        POSTROOM_LOG_INFO
    }

    fn log(&self, _: LogRecord) {}

    fn secret(&self, _: &str) -> Option<Secret> {
        None
    }

    fn extended(&self, _: u64, _: u32) {}

    fn has_metric(&self, _: MetricKind, _: &str) -> bool {
        false
    }

    fn measured(&self, _: Measurement) -> bool {
        false
    }

    fn may_emit(&self) -> bool {
        false
    }

    fn emit(&self, _: u64, _: EmitRequest) {}

    fn action_ended(&self, _: u64, _: ActionReport) {}

    // Nobody answers: nothing is kept here.
    fn state(&self, _: u64, _: StateOperation) {}
}
