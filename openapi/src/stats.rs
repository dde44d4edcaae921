//! The resource `stats`: the gateway in figures.

use poem_openapi::{Object, OpenApi, Tags, payload::Json, types::Example};

use crate::{
    auth::ApiKey, deliveries::DeliveryState, events::Kind, port::Gateway, problem::Failure, time::Timestamp,
};

/// The gateway in figures.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct Stats {
    /// The gateway's version.
    pub version: String,
    /// When it started. Whatever is counted since then begins here.
    pub started_at: Timestamp,
    /// How long it runs, in seconds.
    pub uptime_s: u64,
    /// Counts the configurations since the start of the gateway; the first is 1.
    pub generation: u64,
    /// Tells configurations apart that mean different things. Nothing of a secret is in it.
    pub fingerprint: String,
    /// What came in.
    pub events: EventStats,
    /// What becomes of it.
    pub deliveries: DeliveryStats,
    /// The room that it takes.
    pub store: StoreStats,
}

/// What came in.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct EventStats {
    /// When the oldest event that is kept came in. Absent when there is none.
    pub oldest_at: Option<Timestamp>,
    /// When the newest one came in.
    pub newest_at: Option<Timestamp>,
    /// Events of the last minute.
    pub last_minute: u64,
    /// Events of the last hour.
    pub last_hour: u64,
    /// Events of the last day.
    pub last_day: u64,
    /// Events since the start of the gateway, by kind. Kinds of which there were none are left out.
    pub since_start: Vec<KindCount>,
}

/// How many events are of a kind.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct KindCount {
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
}

/// What becomes of events.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DeliveryStats {
    /// Deliveries that are not final: those that wait, and those that plugins have now.
    pub waiting: u64,
    /// When the oldest of them was made. Absent when there is none.
    pub oldest_waiting_at: Option<Timestamp>,
    /// Dead letters that were not done again.
    pub dead: u64,
    /// Whether there are more dead letters than were counted: only the newest are looked at.
    pub dead_is_more: bool,
    /// By destination: those of the configuration, and others for which something waits or is dead.
    pub destinations: Vec<DestinationStats>,
}

/// What becomes of the events that go to one destination.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct DestinationStats {
    /// Its name.
    pub destination: String,
    /// Deliveries that are not final.
    pub waiting: u64,
    /// When the oldest of them was made. Absent when there is none.
    pub oldest_waiting_at: Option<Timestamp>,
    /// Dead letters that were not done again, as far as they were counted.
    pub dead: u64,
    /// Deliveries that became final since the start of the gateway, by state. States of which there were none are left out.
    pub since_start: Vec<StateCount>,
}

/// How many deliveries are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct StateCount {
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub count: u64,
}

/// The room that events and deliveries take.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct StoreStats {
    /// The part of the database that holds something, in bytes. What was removed is used again, so the file may be larger.
    pub database_bytes: u64,
    /// Large bodies, which are kept as files, in bytes.
    pub blob_bytes: u64,
}

impl Example for Stats {
    fn example() -> Self {
        let at = |seconds: i64| Timestamp::from_unix_ms(1_790_000_000_125 + seconds * 1000);
        Self {
            version: "0.1.0".to_owned(),
            started_at: at(0),
            uptime_s: 86_400,
            generation: 1,
            fingerprint: "0123456789abcdef".to_owned(),
            events: EventStats {
                oldest_at: Some(at(-7_776_000)),
                newest_at: Some(at(86_397)),
                last_minute: 4,
                last_hour: 240,
                last_day: 5760,
                since_start: vec![KindCount { kind: Kind::MonitorRun, count: 5760 }],
            },
            deliveries: DeliveryStats {
                waiting: 2,
                oldest_waiting_at: Some(at(86_340)),
                dead: 1,
                dead_is_more: false,
                destinations: vec![DestinationStats {
                    destination: "itoc360".to_owned(),
                    waiting: 2,
                    oldest_waiting_at: Some(at(86_340)),
                    dead: 1,
                    since_start: vec![StateCount { state: DeliveryState::Delivered, count: 5757 }],
                }],
            },
            store: StoreStats { database_bytes: 48_234_496, blob_bytes: 0 },
        }
    }
}

#[derive(Tags)]
enum Tag {
    /// Is it alive, is it ready, how is it doing.
    Health,
}

/// The operation on figures.
pub(crate) struct StatsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1")]
impl<G: Gateway> StatsApi<G> {
    /// Get the gateway in figures
    ///
    /// Gives what came in, what waits, what is dead and how much room it takes. Takes a moment with very many deliveries that
    /// wait; for a time series read `/metrics`.
    #[oai(path = "/stats", method = "get", operation_id = "getStats", tag = "Tag::Health")]
    async fn get(&self, _key: ApiKey<G>) -> Result<Json<Stats>, Failure> {
        Ok(Json(self.0.stats().await?))
    }
}

#[cfg(test)]
mod tests;
