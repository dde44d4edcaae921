//! A store in figures.

use postroom_core::{
    id::{DeliveryId, DestinationName},
    time::Timestamp,
};

/// What came in, and what waits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Overview {
    /// When the oldest event that is kept was accepted.
    pub oldest_event: Option<Timestamp>,
    /// When the newest event was accepted.
    pub newest_event: Option<Timestamp>,
    /// Events of the last minute.
    pub last_minute: u64,
    /// Events of the last hour.
    pub last_hour: u64,
    /// Events of the last 24 hours.
    pub last_day: u64,
    /// What waits, for each destination that something waits for, configured or not.
    pub waiting: Vec<Waits>,
}

/// What waits for one destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// Which destination.
    pub destination: DestinationName,
    /// Deliveries that are pending or retrying.
    pub waiting: u64,
    /// When the first of them was made.
    pub oldest: Option<Timestamp>,
}

/// Dead letters that were not done again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// The one with the newest of them first.
    pub groups: Vec<DeadGroup>,
    /// Whether there are more dead letters than were looked at.
    pub is_more: bool,
}

/// Dead letters of one destination that ended with the same code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadGroup {
    /// Which destination.
    pub destination: DestinationName,
    /// The stable code of the last attempt; empty when there is none.
    pub code: String,
    /// What the last attempt of the newest of them said; empty when it said nothing.
    pub message: String,
    /// How many they are.
    pub count: u64,
    /// When the first of them was made.
    pub first_made: Timestamp,
    /// When the last of them was made.
    pub last_made: Timestamp,
    /// When the first of them died.
    pub first_dead: Timestamp,
    /// When the last of them died.
    pub last_dead: Timestamp,
    /// The newest of them.
    pub newest: DeliveryId,
}
