//! What callers are told when something fails. The log says more.

use postroom_core::{chain::Chain, event::UnknownName};
use postroom_engine::{IntakeError, SteerError};
use postroom_openapi::port::{ActionError, HookRefusal, ReadError};
use postroom_store::StoreError;

/// The gateway keeps some names of kinds for itself, and has no events of them.
pub(super) const NO_SUCH_KIND: &str = "no event has a kind of this name";

/// Of a list's filter.
pub(super) fn no_such_kind(_: UnknownName) -> ReadError {
    ReadError::BadParameter { name: "kind", reason: NO_SUCH_KIND.to_owned() }
}

pub(super) fn refusal(error: IntakeError) -> HookRefusal {
    match error {
        IntakeError::Unauthorized => HookRefusal::Unauthorized,
        IntakeError::TooManyRequests { retry_after } => HookRefusal::TooManyRequests { retry_after },
        IntakeError::Unavailable { retry_after, source } => {
            // The store says it once, and a metric counts; a line for each refusal would fill the disk further.
            tracing::debug!(error = %Chain(&source), "an event was refused because the store could not take it");
            HookRefusal::Unavailable { retry_after, reason: plain(&source).to_owned() }
        }
    }
}

pub(super) fn unreadable(error: StoreError) -> ReadError {
    tracing::error!(error = %Chain(&error), "the store could not be read");
    ReadError::Unavailable { reason: plain(&error).to_owned() }
}

/// Of the body of an event that is there.
pub(super) fn body_unreadable(error: StoreError) -> ReadError {
    let lost = matches!(error, StoreError::Corrupt { .. });
    let unavailable = unreadable(error);
    if lost { ReadError::BodyLost } else { unavailable }
}

/// Of what a person wanted done.
pub(super) fn undone(error: SteerError) -> ActionError {
    let reason = match &error {
        SteerError::Store(source) => {
            tracing::error!(error = %Chain(&error), "what a person asked for could not be stored");
            plain(source).to_owned()
        }
        SteerError::UnknownDestination { .. } | SteerError::Stopped => error.to_string(),
    };
    ActionError::Unavailable { reason }
}

/// Of what a person wanted kept.
pub(super) fn unkept(error: StoreError) -> ActionError {
    tracing::error!(error = %Chain(&error), "what a person asked for could not be stored");
    ActionError::Unavailable { reason: plain(&error).to_owned() }
}

/// Of a key that was revoked and is still in the store.
pub(super) fn unforgotten(name: &str, error: &StoreError) -> ActionError {
    tracing::error!(name, error = %Chain(error), "an API key was revoked that the store could not forget");
    let why = plain(error);
    let reason = format!(
        "{why}; the key lets nobody in until a restart of the gateway brings it back: revoke it again"
    );
    ActionError::Unavailable { reason }
}

/// Of what was done and could not be read back.
pub(super) fn unseen(error: ReadError) -> ActionError {
    ActionError::Unavailable { reason: error.to_string() }
}

/// What a stranger may know of a store's fault: no paths, no SQL.
fn plain(error: &StoreError) -> &'static str {
    match error {
        StoreError::Full { .. } => "the disk is full",
        StoreError::Busy => "too many events wait to be stored",
        _ => "the store is not available",
    }
}
