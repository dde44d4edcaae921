//! State that lasts as long as the process, for trying a plugin out.

use std::{
    collections::BTreeMap,
    future::{Future, ready},
    ops::Bound,
    pin::Pin,
    sync::{Mutex, PoisonError},
};

use bytes::Bytes;
use postroom_core::time::Timestamp;

use super::{Expected, PluginState, StateOperation, StateReply};
use crate::clock;

/// Keeps state in memory, without a bound on how much.
#[derive(Debug, Default)]
pub struct MemoryState(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    last_version: u64,
    entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    version: u64,
    value: Bytes,
    expires_at: Option<Timestamp>,
}

impl PluginState for MemoryState {
    fn run(&self, operation: StateOperation) -> Pin<Box<dyn Future<Output = StateReply> + Send + '_>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Box::pin(ready(kept.run(operation, clock::now())))
    }
}

impl Kept {
    fn run(&mut self, operation: StateOperation, now: Timestamp) -> StateReply {
        self.entries.retain(|_, entry| entry.expires_at.is_none_or(|end| end > now));
        match operation {
            StateOperation::Get { key } => self.entries.get(&key).map_or(StateReply::NotFound, |entry| {
                StateReply::Done { version: entry.version, value: entry.value.clone() }
            }),
            StateOperation::Put { key, value, expected, ttl } => {
                if let Err(conflict) = self.expect(&key, expected) {
                    return conflict;
                }
                self.last_version += 1;
                let version = self.last_version;
                let expires_at = ttl.map(|ttl| now.plus(ttl));
                self.entries.insert(key, Entry { version, value, expires_at });
                StateReply::Done { version, value: Bytes::new() }
            }
            StateOperation::Delete { key, expected } => {
                if let Err(conflict) = self.expect(&key, expected) {
                    return conflict;
                }
                match self.entries.remove(&key) {
                    Some(_) => StateReply::Done { version: 0, value: Bytes::new() },
                    None => StateReply::NotFound,
                }
            }
            StateOperation::List { prefix } => {
                let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
                let keys = self.entries.range::<str, _>(from).map(|(key, _)| key.as_str());
                StateReply::keys(keys.take_while(|key| key.starts_with(&prefix)))
            }
        }
    }

    fn expect(&self, key: &str, expected: Expected) -> Result<(), StateReply> {
        let version = self.entries.get(key).map_or(0, |entry| entry.version);
        let fits = match expected {
            Expected::Any => true,
            Expected::Absent => version == 0,
            Expected::Version(expected) => version != 0 && version == expected,
        };
        if fits { Ok(()) } else { Err(StateReply::Conflict { version }) }
    }
}
