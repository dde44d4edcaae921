//! What a person can do to deliveries, and how it can fail.

use postroom_store::StoreError;

/// Why a wish was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum SteerError {
    /// There is no such destination.
    #[error("destination {name} is not configured: use a name of the configuration")]
    UnknownDestination {
        /// What was asked for.
        name: String,
    },
    /// The store could not keep or read it; nothing changed.
    #[error("the store could not carry it out")]
    Store(#[from] StoreError),
    /// The gateway is stopping.
    #[error("the gateway is stopping: ask again after its next start")]
    Stopped,
}

/// What became of the wish to cancel a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelAnswer {
    /// It waits no more.
    Cancelled,
    /// Its plugin has it and was asked to let go. How it ends shows in the delivery: what the plugin ended before it heard
    /// of this keeps its outcome and is not tried again, and otherwise it becomes cancelled, with an attempt that says by
    /// whom.
    InFlight,
    /// It was final before.
    AlreadyFinal,
}
