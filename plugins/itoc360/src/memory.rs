//! What ITOC360 has been told about each monitor, kept by the gateway over restarts and crashes.

use std::time::Duration;

use postroom_sdk::{Event, Expect, State, StateError, kind};
use serde::{Deserialize, Serialize};

use crate::{alertmanager::Status, config::Extent, severity::Severity, signal::Signal};

/// Begins the keys of what ITOC360 has been told.
pub(crate) const PREFIX: &str = "told/";
/// Longest part of a key that is a fingerprint, in bytes.
const FINGERPRINT_BYTES_MAX: usize = 200;
/// How long it is kept that a monitor passes: longer than anybody replays its runs.
const KEEP_PASSING: Duration = Duration::from_secs(30 * 24 * 3600);

/// What ITOC360 has been told about one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Told {
    pub(crate) fingerprint: String,
    pub(crate) name: Option<String>,
    /// What it took last, so whether the incident is open there.
    pub(crate) failing: bool,
    /// An attempt to tell the contrary began and never came to an end that is known: ITOC360 may have taken it.
    #[serde(default)]
    pub(crate) in_doubt: bool,
    pub(crate) severity: Severity,
    /// When it began to be so, in milliseconds since 1970.
    pub(crate) since_unix_ms: u64,
    /// The event that made it so.
    pub(crate) turned_by: String,
    /// When the newest event was received that was told or did not need to be, in milliseconds since 1970.
    pub(crate) last_unix_ms: u64,
    /// That event, if it is one of those whose ids are in order.
    #[serde(default)]
    pub(crate) last_in_order: String,
}

/// What belongs to one event beside the signal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) event: &'a str,
    pub(crate) received_unix_ms: u64,
    /// The event's id where ids are in order within a millisecond: those of what the gateway makes are, and it makes more than
    /// one event in the same. Empty for a run.
    pub(crate) in_order: &'a str,
    pub(crate) now_unix_ms: u64,
}

impl<'a> Moment<'a> {
    pub(crate) fn of(event: &'a Event, now_unix_ms: u64) -> Self {
        let in_order = if event.kind() == kind::MONITOR_RUN { "" } else { event.id() };
        Self { event: event.id(), received_unix_ms: event.received_unix_ms(), in_order, now_unix_ms }
    }

    fn place(&self) -> (u64, &'a str) {
        (self.received_unix_ms, self.in_order)
    }
}

impl Told {
    fn last_place(&self) -> (u64, &str) {
        (self.last_unix_ms, &self.last_in_order)
    }
}

/// Whether an event goes to ITOC360.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It goes.
    Tell,
    /// A newer one went before it: this one would undo it.
    TooOld,
    /// ITOC360 knows already.
    Known,
}

/// Decides whether an event goes to ITOC360.
///
/// Lanes bring the events of a monitor in order, so an older one comes only when somebody replays it. The clock may have been
/// set back since the newest: then that one lies in the future, and says nothing.
pub(crate) fn step(told: Option<&Told>, status: Status, moment: Moment<'_>, send: Extent) -> Step {
    let fires = status == Status::Firing;
    // The very event that made it so may go again, whatever came since: it says what ITOC360 knows.
    let turned = told.is_some_and(|told| told.turned_by == moment.event && told.failing == fires);
    let too_old = told.is_some_and(|told| {
        (moment.place() < told.last_place()) && (told.last_unix_ms <= moment.now_unix_ms)
    });
    match told {
        _ if turned => Step::Tell,
        _ if too_old => Step::TooOld,
        _ if send == Extent::EveryRun => Step::Tell,
        Some(told) if told.in_doubt || told.failing != fires => Step::Tell,
        Some(_) => Step::Known,
        None if fires => Step::Tell,
        None => Step::Known,
    }
}

/// What is kept about one fingerprint, and how it is kept.
#[derive(Debug)]
pub(crate) struct Memory {
    state: State,
    key: String,
    told: Option<Told>,
    expect: Expect,
}

impl Memory {
    /// Reads what is kept.
    pub(crate) async fn open(state: State, fingerprint: &str) -> Result<Self, StateError> {
        let key = key(fingerprint);
        let entry = state.get(&key).await?;
        let expect = entry.as_ref().map_or(Expect::Absent, |entry| Expect::Version(entry.version));
        // What cannot be read was written by another version; ITOC360 is told once more.
        let told = entry.and_then(|entry| serde_json::from_slice(&entry.value).ok());
        Ok(Self { state, key, told, expect })
    }

    pub(crate) fn told(&self) -> Option<&Told> {
        self.told.as_ref()
    }

    /// Keeps that ITOC360 is about to be told something new. If the answer never comes, the next event is sent whatever it
    /// says: this one may have arrived or not.
    pub(crate) async fn begin(&mut self, signal: &Signal, moment: Moment<'_>) -> Result<(), StateError> {
        let fires = signal.facts.status == Status::Firing;
        let told = match self.told.clone() {
            Some(told) if told.failing == fires || told.in_doubt => return Ok(()),
            Some(told) => {
                let (last_unix_ms, last_in_order) = (moment.received_unix_ms, moment.in_order.to_owned());
                Told { in_doubt: true, last_unix_ms, last_in_order, ..told }
            }
            None if !fires => return Ok(()),
            None => Told { failing: false, in_doubt: true, ..self.as_told(signal, moment) },
        };
        self.write(told).await
    }

    /// Keeps that ITOC360 has taken it, or knew it before.
    pub(crate) async fn end(&mut self, signal: &Signal, moment: Moment<'_>) -> Result<(), StateError> {
        self.write(self.as_told(signal, moment)).await
    }

    /// What is known once ITOC360 has it.
    fn as_told(&self, signal: &Signal, moment: Moment<'_>) -> Told {
        let failing = signal.facts.status == Status::Firing;
        let before = self.told.as_ref().filter(|told| told.failing == failing);
        let began = signal.began_unix_ms.unwrap_or(moment.received_unix_ms);
        let newest = self.told.as_ref().map(Told::last_place);
        // One that lies in the future was written before the clock was set back.
        let newest = newest.filter(|(newest, _)| *newest <= moment.now_unix_ms).unwrap_or_default();
        let (last_unix_ms, last_in_order) = newest.max(moment.place());
        Told {
            fingerprint: signal.fingerprint.clone(),
            name: signal.facts.monitor.clone(),
            failing,
            in_doubt: false,
            severity: signal.facts.severity,
            since_unix_ms: before.map_or(began, |told| told.since_unix_ms),
            turned_by: before.map_or_else(|| moment.event.to_owned(), |told| told.turned_by.clone()),
            last_unix_ms,
            last_in_order: last_in_order.to_owned(),
        }
    }

    async fn write(&mut self, told: Told) -> Result<(), StateError> {
        let value = serde_json::to_vec(&told).map_err(|_| StateError::Value)?;
        let version = if told.failing || told.in_doubt {
            self.state.put(&self.key, value, self.expect).await?
        } else {
            self.state.put_for(KEEP_PASSING, &self.key, value, self.expect).await?
        };
        (self.told, self.expect) = (Some(told), Expect::Version(version));
        Ok(())
    }
}

/// The key for a fingerprint. One that does not fit is cut, and a number of the whole keeps it apart from others.
fn key(fingerprint: &str) -> String {
    let fits = fingerprint.len() <= FINGERPRINT_BYTES_MAX && !fingerprint.contains('\n');
    if fits {
        return format!("{PREFIX}{fingerprint}");
    }
    let end = fingerprint.floor_char_boundary(FINGERPRINT_BYTES_MAX);
    let begin = fingerprint[..end].replace('\n', " ");
    format!("{PREFIX}{begin}~{:016x}", fnv(fingerprint.as_bytes()))
}

/// FNV-1a: short, and the same in every version of everything.
fn fnv(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}

#[cfg(test)]
mod tests;
