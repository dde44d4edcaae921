//! The audit log: the way of an entry into the store, and what is said of each sort of change.
//!
//! What a request changes is followed at the edge of the contract. Signals and watched files have no edge, and come here by
//! themselves.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use postroom_core::{
    chain::Chain, id::DestinationName, lane::GateState, monitor::Mute, rate::RateLimit, time::Timestamp,
};
use postroom_engine::{Clock, DestinationLoad};
use postroom_host::Reloaded;
use postroom_openapi::{
    audit::{self, AuditOutcome, AuditVia, NewAuditEntry},
    keys::KeyInfo,
    problem::Code,
};
use postroom_store::{self as store, Store};
use serde_json::{Map, Value, json};
use tokio::runtime;

use super::{told::Told, wire::moment};
use crate::reload::{Applied, InForce, Refusal};

/// Who reloads what has changed by itself.
pub(crate) const FILE_WATCH: &str = "file watch";

/// Entries that cost nothing to make and are kept, for each who makes them.
const FREE_PER_MINUTE: u32 = 30;
/// What anybody may do again and again, and nothing comes of it.
const FREE: [&str; 2] = ["createSession", "endSession"];
/// Beyond so many names, those that nothing was counted for lately are forgotten.
const NAMES_MAX: usize = 512;

/// Keeps what was changed, by whom. A clone keeps it in the same place.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    store: Arc<dyn Store>,
    clock: Clock,
    runtime: runtime::Handle,
    /// By who makes them.
    free: Arc<Mutex<HashMap<String, Free>>>,
}

/// What was kept of somebody's entries that cost nothing.
#[derive(Debug)]
struct Free {
    rate: RateLimit,
    counted: Timestamp,
    /// That some are left out.
    told: Told,
}

impl Audit {
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(store: Arc<dyn Store>, clock: Clock) -> Self {
        Self { store, clock, runtime: runtime::Handle::current(), free: Arc::default() }
    }

    /// Keeps an entry. Whoever waits for the future waits until it is on disk; it is kept all the same if nobody does.
    pub(crate) fn keep(&self, new: NewAuditEntry) -> impl Future<Output = ()> + Send + use<> {
        let is_free = new.outcome != AuditOutcome::Done || FREE.contains(&&*new.operation);
        let has_room = !is_free || self.has_room_for_free(&new.who);
        let (store, entry) = (Arc::clone(&self.store), self.entry(new));
        let keeping = has_room.then(|| {
            self.runtime.spawn(async move {
                let (who, operation, object) =
                    (entry.who.clone(), entry.operation.clone(), entry.object.clone());
                if let Err(error) = store.add_audit(entry).await {
                    // The change is made, so the log is the only place left for it.
                    tracing::error!(
                        who,
                        operation,
                        object,
                        error = %Chain(&error),
                        "a change is missing in the audit log, because the store could not keep it"
                    );
                }
            })
        });
        async move {
            if let Some(keeping) = keeping {
                // It fails only when the process ends.
                drop(keeping.await);
            }
        }
    }

    /// A change costs whoever makes it something, a refusal nothing: a key that may only read must not fill the disk, nor
    /// leave no room for what others are refused.
    fn has_room_for_free(&self, who: &str) -> bool {
        let now = self.clock.now();
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() >= NAMES_MAX && !free.contains_key(who) {
            free.retain(|_, free| free.counted.until(now) < Duration::from_secs(60));
        }
        let fresh =
            || Free { rate: RateLimit::per_minute(FREE_PER_MINUTE), counted: now, told: Told::default() };
        let free = free.entry(who.to_owned()).or_insert_with(fresh);
        free.counted = now;
        let has_room = free.rate.take(now).is_ok();
        if !has_room && free.told.is_news(now) {
            tracing::warn!(who, "more is refused or begins than the audit log takes, some is left out of it");
        }
        has_room
    }

    fn entry(&self, new: NewAuditEntry) -> store::AuditEntry {
        let NewAuditEntry { who, via, operation, object, before, after, outcome, code, request_id } = new;
        store::AuditEntry {
            at: self.clock.now(),
            who,
            via: match via {
                AuditVia::ApiKey => store::AuditVia::ApiKey,
                AuditVia::Session => store::AuditVia::Session,
                AuditVia::Signal => store::AuditVia::Signal,
                AuditVia::FileWatch => store::AuditVia::FileWatch,
            },
            operation,
            object,
            before,
            after,
            outcome: match outcome {
                AuditOutcome::Done => store::AuditOutcome::Done,
                AuditOutcome::Refused => store::AuditOutcome::Refused,
                AuditOutcome::Failed => store::AuditOutcome::Failed,
                AuditOutcome::Unknown => store::AuditOutcome::Unknown,
            },
            code: code.map(|code| code.to_string()),
            request_id,
        }
    }
}

/// An entry as the API shows it.
pub(super) fn shown(record: store::AuditRecord) -> audit::AuditEntry {
    let store::AuditRecord { id, entry } = record;
    let fields = |object: Option<Map<String, Value>>| object.map(|object| object.into_iter().collect());
    audit::AuditEntry {
        id: id.to_string(),
        at: moment(entry.at),
        who: entry.who,
        via: match entry.via {
            store::AuditVia::ApiKey => AuditVia::ApiKey,
            store::AuditVia::Session => AuditVia::Session,
            store::AuditVia::Signal => AuditVia::Signal,
            store::AuditVia::FileWatch => AuditVia::FileWatch,
        },
        operation: entry.operation,
        object: entry.object,
        before: fields(entry.before),
        after: fields(entry.after),
        outcome: match entry.outcome {
            store::AuditOutcome::Done => AuditOutcome::Done,
            store::AuditOutcome::Refused => AuditOutcome::Refused,
            store::AuditOutcome::Failed => AuditOutcome::Failed,
            store::AuditOutcome::Unknown => AuditOutcome::Unknown,
        },
        code: entry.code.and_then(|code| Code::named(&code)),
        request_id: entry.request_id,
    }
}

/// A reload of the configuration that a signal asked for.
pub(crate) fn of_signal(before: &InForce, signal: &str, done: &Result<Applied, Refusal>) -> NewAuditEntry {
    let before = object(in_force(before));
    NewAuditEntry {
        before,
        ..reload(signal, AuditVia::Signal, "reloadConfiguration", done.as_ref().map(applied))
    }
}

/// A reload of a destination's plugin because its file has changed.
pub(crate) fn of_watch(destination: &DestinationName, done: Result<&Reloaded, &Refusal>) -> NewAuditEntry {
    let of = Some(format!("destinations/{destination}"));
    NewAuditEntry {
        object: of,
        ..reload(FILE_WATCH, AuditVia::FileWatch, "reloadDestination", done.map(reloaded))
    }
}

fn reload(who: &str, via: AuditVia, operation: &str, done: Result<Value, &Refusal>) -> NewAuditEntry {
    let (after, outcome, code) = match done {
        Ok(after) => (object(after), AuditOutcome::Done, None),
        Err(Refusal::Faulty(_)) => (None, AuditOutcome::Refused, Some(Code::ConfigFaulty)),
        Err(Refusal::Stopping) => (None, AuditOutcome::Failed, Some(Code::Unavailable)),
    };
    NewAuditEntry {
        who: who.to_owned(),
        via,
        operation: operation.to_owned(),
        object: None,
        before: None,
        after,
        outcome,
        code,
        request_id: None,
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// Which configuration is in force.
pub(super) fn in_force(in_force: &InForce) -> Value {
    let InForce { generation, fingerprint } = in_force;
    json!({ "generation": generation, "fingerprint": fingerprint })
}

/// What a reload has changed: names of settings, never what they are.
pub(crate) fn applied(applied: &Applied) -> Value {
    let mut noted = in_force(&applied.in_force);
    noted["applied"] = json!(applied.changes.applied);
    noted["needs_restart"] = json!(applied.changes.needs_restart);
    noted
}

/// What holds a destination back.
pub(super) fn gate(load: Option<&DestinationLoad>) -> Value {
    let Some(load) = load else { return Value::Null };
    let gate = match load.gate {
        GateState::Open => "open",
        GateState::Held => "held",
        GateState::Closed => "closed",
        GateState::Paused => "paused",
        GateState::Breaker => "breaker",
    };
    match &load.paused_by {
        Some(pause) => json!({ "gate": gate, "paused_by": pause.by }),
        None => json!({ "gate": gate }),
    }
}

/// Whether nothing is told of a monitor.
pub(super) fn mute(mute: Option<&Mute>) -> Value {
    match mute {
        None => json!({ "muted": false }),
        Some(Mute { until, by, .. }) => {
            json!({ "muted": true, "until": moment(*until).to_string(), "by": by })
        }
    }
}

/// An API key, without the key.
pub(super) fn key(info: &KeyInfo) -> Value {
    let mut noted = Map::new();
    noted.insert("role".to_owned(), json!(info.role.to_string()));
    let moment = info.expires_at.map(|at| at.to_string());
    noted.extend(moment.map(|at| ("expires_at".to_owned(), json!(at))));
    noted.extend(info.created_by.as_ref().map(|by| ("created_by".to_owned(), json!(by))));
    Value::Object(noted)
}

/// The process that a reload of a plugin has begun.
pub(crate) fn reloaded(reloaded: &Reloaded) -> Value {
    let Reloaded { pid, version } = reloaded;
    json!({ "pid": pid, "version": version })
}

#[cfg(test)]
mod tests;
