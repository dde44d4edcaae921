//! Everything that can happen to the dispatcher.

use std::collections::BTreeMap;

use postroom_core::{
    id::{DeliveryId, DestinationName},
    lane::{LaneKey, Read, Ticket},
};
use postroom_store::{Pause, StoreError, WaitingCount};
use tokio::{sync::oneshot, task::JoinError};

use super::{cancel::Standing, cold::Loaded, flight::Attempted, record::Follow};
use crate::{
    Destination, DestinationLoad,
    feed::Arrival,
    steer::{CancelAnswer, SteerError},
};

pub(crate) type Answer<T> = oneshot::Sender<T>;

#[derive(Debug)]
pub(super) enum Input {
    /// The store has committed deliveries.
    Arrived(Arrival),
    /// Someone asks or wishes something.
    Asked(Question),
    /// A task has ended.
    Ended(Result<Done, JoinError>),
    /// A waiting time is over.
    Tick,
    /// Start nothing more, and end when nothing is in flight.
    Stop,
}

/// What comes from outside.
#[derive(Debug)]
pub(crate) enum Question {
    /// How busy are the destinations?
    Loads(Answer<BTreeMap<DestinationName, DestinationLoad>>),
    Pause(PauseWish),
    Cancel(CancelWish),
    /// Other settings, or another destination.
    Put(Vec<Destination>, Answer<()>),
    /// The plugins of these destinations have other settings from here on.
    Mended(Vec<DestinationName>, Answer<()>),
    /// Start nothing more at these destinations.
    Remove(Vec<DestinationName>, Answer<()>),
    /// Try a waiting delivery at once.
    Hurry {
        lane: LaneKey,
        id: DeliveryId,
        answer: Answer<bool>,
    },
}

/// A person pauses a destination or lets it go on.
#[derive(Debug)]
pub(crate) struct PauseWish {
    pub(crate) destination: DestinationName,
    /// `None`: go on.
    pub(crate) pause: Option<Pause>,
    pub(crate) answer: Answer<Result<(), SteerError>>,
}

/// A person does not want a delivery any more.
#[derive(Debug)]
pub(crate) struct CancelWish {
    pub(crate) lane: LaneKey,
    pub(crate) id: DeliveryId,
    /// Who that is.
    pub(crate) by: String,
    pub(crate) answer: Answer<Result<Option<CancelAnswer>, SteerError>>,
}

/// What a task of the dispatcher came to.
#[derive(Debug)]
pub(super) enum Done {
    /// The events of deliveries that have started were read.
    Loaded(Loaded),
    /// An attempt ended.
    Attempted(Attempted),
    /// What became of these deliveries is on disk, and this follows.
    Recorded { ids: Vec<DeliveryId>, follows: Vec<Follow> },
    /// The store has answered the lanes.
    Read { read: Read, tickets: Vec<Ticket> },
    /// How much waits at the start.
    Waiting(Vec<WaitingCount>),
    /// The pauses that people have set.
    PausesRead(Vec<(DestinationName, Pause)>),
    /// The store has kept a pause or its end, or not.
    PauseKept { wish: PauseWish, kept: Result<(), StoreError> },
    /// What the store says of a delivery that is to be cancelled and is not in memory.
    LookedAt { cancel: CancelWish, found: Result<Standing, StoreError> },
}
