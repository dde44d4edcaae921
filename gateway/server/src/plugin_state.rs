//! The state of plugins, kept in the gateway's store.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use bytes::Bytes;
use postroom_core::{chain::Chain, id::DestinationName};
use postroom_engine::Clock;
use postroom_host::{self as host, PluginState, StateOperation, StateReply};
use postroom_store::{Expected, StateAnswer, StateBounds, StateChange, StateWrite, Store, StoreError};

/// Longest list of keys, in bytes.
const LIST_BYTES_MAX: usize = 1024 * 1024;

/// The state of one destination's plugin.
pub(crate) struct StoredState {
    store: Arc<dyn Store>,
    destination: DestinationName,
    bounds: StateBounds,
    clock: Clock,
    /// The last operation failed, so that a broken disk is logged once.
    failing: AtomicBool,
}

impl StoredState {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        destination: DestinationName,
        bounds: StateBounds,
        clock: Clock,
    ) -> Self {
        Self { store, destination, bounds, clock, failing: AtomicBool::new(false) }
    }

    async fn carry_out(&self, operation: StateOperation) -> Result<StateReply, StoreError> {
        let now = self.clock.now();
        match operation {
            StateOperation::Get { key } => {
                let entry = self.store.plugin_state(self.destination.clone(), key, now).await?;
                Ok(entry.map_or(StateReply::NotFound, |entry| StateReply::Done {
                    version: entry.version,
                    value: entry.value,
                }))
            }
            StateOperation::List { prefix } => {
                let keys =
                    self.store.plugin_state_keys(self.destination.clone(), prefix, now, LIST_BYTES_MAX);
                Ok(match keys.await? {
                    Some(keys) => StateReply::keys(keys.iter().map(String::as_str)),
                    None => StateReply::TooLarge,
                })
            }
            StateOperation::Put { key, value, expected, ttl } => {
                let expires_at = ttl.map(|ttl| now.plus(ttl));
                let change = StateChange::Put { value, expires_at, bounds: self.bounds };
                self.write(key, expected, change).await
            }
            StateOperation::Delete { key, expected } => self.write(key, expected, StateChange::Delete).await,
        }
    }

    async fn write(
        &self,
        key: String,
        expected: host::Expected,
        change: StateChange,
    ) -> Result<StateReply, StoreError> {
        let expected = match expected {
            host::Expected::Any => Expected::Any,
            host::Expected::Absent => Expected::Absent,
            host::Expected::Version(version) => Expected::Version(version),
        };
        let destination = self.destination.clone();
        let write = StateWrite { destination, key, expected, change, at: self.clock.now() };
        Ok(match self.store.write_plugin_state(write).await? {
            StateAnswer::Put { version } => StateReply::Done { version, value: Bytes::new() },
            StateAnswer::Deleted => StateReply::Done { version: 0, value: Bytes::new() },
            StateAnswer::NotFound => StateReply::NotFound,
            StateAnswer::Conflict { version } => StateReply::Conflict { version },
            StateAnswer::Full => StateReply::TooLarge,
        })
    }
}

impl PluginState for StoredState {
    fn run(&self, operation: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
        Box::pin(async move {
            let destination = self.destination.as_str();
            match self.carry_out(operation).await {
                Ok(reply) => {
                    if self.failing.swap(false, Ordering::Relaxed) {
                        tracing::info!(destination, "the plugin's state can be used again");
                    }
                    reply
                }
                Err(error) => {
                    if !self.failing.swap(true, Ordering::Relaxed) {
                        tracing::warn!(destination, error = %Chain(&error), "the plugin's state cannot be used");
                    }
                    StateReply::Unavailable
                }
            }
        })
    }
}

impl fmt::Debug for StoredState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredState").field("destination", &self.destination).finish_non_exhaustive()
    }
}
