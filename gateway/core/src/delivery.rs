//! The life of a delivery: (state, outcome) → (state, what to do).

use std::{fmt, str::FromStr, time::Duration};

use crate::{
    event::UnknownName,
    id::DeliveryId,
    limits,
    outcome::{Outcome, OutcomeKind},
    retry::RetryPolicy,
    time::Timestamp,
};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// Waits for its first attempt, or for a paused destination.
    Pending,
    /// Failed at least once, will be tried again.
    Retrying,
    /// The destination has it.
    Delivered,
    /// The plugin left it out on purpose.
    Skipped,
    /// A newer delivery of the same lane went instead (backlog policy `latest`).
    Superseded,
    /// Given up: a dead letter, kept and visible.
    Dead,
    /// Stopped by a person.
    Cancelled,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::Retrying,
        Self::Delivered,
        Self::Skipped,
        Self::Superseded,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The name used in API and store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Retrying => "retrying",
            Self::Delivered => "delivered",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen by itself.
    #[must_use]
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Retrying)
    }
}

impl fmt::Display for DeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for DeliveryState {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownName { what: "delivery state" })
    }
}

/// What follows from an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The delivery's new state.
    pub state: DeliveryState,
    /// Counted attempts so far, this one included if it counts.
    pub attempts: u32,
    /// When the delivery may be tried again; `None` when it is final.
    pub due: Option<Timestamp>,
    /// The remote side asked for this wait.
    pub asked: bool,
    /// What the whole destination must do.
    pub destination: DestinationStep,
}

/// What an outcome asks of the destination as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DestinationStep {
    /// Carry on. The outcome came from the remote side or the event, so the settings work.
    Carry,
    /// Start nothing until then; afterwards try with one delivery first.
    PauseUntil(Timestamp),
}

/// Decides what becomes of a delivery whose attempt ended with `outcome` at `now`.
///
/// `attempts` counts the attempts before this one. Rate limits and bad settings pause the destination and cost no
/// attempt: they say nothing about the event.
#[must_use]
pub fn step(id: DeliveryId, attempts: u32, outcome: &Outcome, policy: &RetryPolicy, now: Timestamp) -> Step {
    let counted = attempts.saturating_add(1);
    let last = |state| Step {
        state,
        attempts: counted,
        due: None,
        asked: false,
        destination: DestinationStep::Carry,
    };
    match outcome.kind {
        OutcomeKind::Delivered => last(DeliveryState::Delivered),
        OutcomeKind::Skipped => last(DeliveryState::Skipped),
        OutcomeKind::Permanent => last(DeliveryState::Dead),
        OutcomeKind::Retry => match policy.delay(id, counted, outcome.retry_after) {
            None => last(DeliveryState::Dead),
            Some(delay) => Step {
                state: DeliveryState::Retrying,
                attempts: counted,
                due: Some(now.plus(delay)),
                asked: policy.delay(id, counted, None) != Some(delay),
                destination: DestinationStep::Carry,
            },
        },
        OutcomeKind::RateLimited => {
            let wait = outcome.retry_after.unwrap_or(limits::RATE_LIMIT_PAUSE);
            let wait = wait.clamp(limits::RATE_LIMIT_PAUSE_MIN, limits::RETRY_AFTER_MAX);
            Step { asked: outcome.retry_after.is_some(), ..pause(attempts, now, wait) }
        }
        OutcomeKind::Misconfigured => pause(attempts, now, limits::PROBE_INTERVAL),
    }
}

fn pause(attempts: u32, now: Timestamp, wait: Duration) -> Step {
    let until = now.plus(wait);
    Step {
        state: if attempts == 0 { DeliveryState::Pending } else { DeliveryState::Retrying },
        attempts,
        due: Some(until),
        asked: false,
        destination: DestinationStep::PauseUntil(until),
    }
}

#[cfg(test)]
mod tests;
