//! What a life writes down: one line for each thing, written whole before it goes on. The notes lie on a good disk.

use std::{fs::File, io::Write as _, path::Path, sync::Mutex};

use postroom_core::delivery::DeliveryState;
use serde::{Deserialize, Serialize};

/// A delivery as the store shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shown {
    pub(super) id: i64,
    pub(super) destination: String,
    pub(super) state: String,
    pub(super) replay_of: Option<i64>,
    pub(super) replayed_by: Option<i64>,
}

/// One thing that is done to the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Action {
    /// Event number `event`, perhaps under an idempotency key.
    Accept { event: u64, destinations: Vec<String>, body: u64, key: Option<String> },
    /// New states of deliveries.
    Record(Vec<(i64, String)>),
    /// A new delivery of the newest in the chain of this one.
    Retry(i64),
    /// Remove up to so many of the oldest events.
    Prune(usize),
    /// A person pauses a destination, or resumes it.
    Pause(String, bool),
    /// The log is followed by some events, and event number `event` is made about it.
    Follow { event: u64 },
}

/// How it was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    Accepted {
        event: u64,
        deliveries: Vec<i64>,
        repeated: bool,
    },
    Retried(Option<i64>),
    Done,
    /// The log was followed up to here.
    Followed(i64),
    /// With what it said.
    Error(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Note {
    /// An event that was there when the store was opened, with its deliveries in the order of their ids. `body` is the
    /// number of its body, if it could be read and was one of ours.
    Event {
        event: u64,
        deliveries: Vec<Shown>,
        body: Option<u64>,
    },
    /// The destinations that were paused.
    Paused(Vec<String>),
    /// Deliveries that wait, as the dispatcher would read them.
    Waiting(Vec<i64>),
    /// How far the log was followed, and what does not agree with that.
    Position {
        position: i64,
        fault: Option<String>,
    },
    /// Everything that was there has been noted.
    Shown,
    Begin(u64, Action),
    End(u64, Answer),
    /// The feed told of this delivery.
    Fed(i64),
}

impl Note {
    /// A line that is not whole was being written when the life ended.
    pub(super) fn read_all(text: &str) -> Vec<Self> {
        text.lines().map_while(|line| serde_json::from_str(line).ok()).collect()
    }
}

/// Where a life writes its notes.
#[derive(Debug)]
pub(super) struct Notes(Mutex<File>);

impl Notes {
    pub(super) fn create(path: &Path) -> Self {
        Self(Mutex::new(File::create(path).unwrap()))
    }

    pub(super) fn write(&self, note: &Note) {
        let line = serde_json::to_string(note).unwrap() + "\n";
        self.0.lock().unwrap().write_all(line.as_bytes()).unwrap();
    }
}

pub(super) fn state(name: &str) -> DeliveryState {
    name.parse().unwrap()
}
