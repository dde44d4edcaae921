//! What the audit log says of a request beyond that it was made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

/// Belongs to one request. Whoever carries it out notes here what it changes; a clone is the same note.
#[derive(Debug, Clone, Default)]
pub struct Note(Arc<Mutex<Noted>>);

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Noted {
    pub(super) object: Option<String>,
    pub(super) before: Option<Map<String, Value>>,
    pub(super) after: Option<Map<String, Value>>,
    pub(super) changes_nothing: bool,
}

impl Note {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> Noted {
        self.noted().clone()
    }

    /// Notes of what it is, where the path does not say it: a thing that is new.
    pub fn object(&self, object: impl Into<String>) {
        self.noted().object = Some(object.into());
    }

    /// Notes how it stands before, in a few fields. Nothing of a secret may be in it. Anything but an object counts for
    /// nothing.
    pub fn before(&self, before: Value) {
        self.noted().before = object(before);
    }

    /// Notes how it stands after, likewise.
    pub fn after(&self, after: Value) {
        self.noted().after = object(after);
    }

    /// Notes that the request only looks, though its method is one that changes things: then it is not in the audit log.
    pub fn changes_nothing(&self) {
        self.noted().changes_nothing = true;
    }
}

fn object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(object) => Some(object),
        _ => None,
    }
}
