//! The gateway in figures.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DestinationName, SourceName},
};
use postroom_engine::{emit_source, tracker_source};
use postroom_openapi::{
    port::ReadError,
    stats::{DeliveryStats, DestinationStats, EventStats, KindCount, StateCount, Stats, StoreStats},
};
use postroom_store::{DeadLetters, Overview, Waits};

use crate::{
    api::{Api, errors::unreadable, wire},
    reload::Shown,
};

impl Api {
    pub(super) async fn figures(&self) -> Result<Stats, ReadError> {
        let shown = self.0.reloader.shown();
        let (store, now) = (Arc::clone(&self.0.store), self.0.clock.now());
        let whole =
            self.0.overview.get(async move { Ok((store.overview(now).await?, store.usage().await?)) });
        let whole = whole.await.map_err(unreadable)?;
        let (overview, usage) = &*whole;
        let dead = self.dead_letters_found().await?;
        let configuration = self.in_force();
        let (started_at, started) = self.0.started;
        Ok(Stats {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: wire::moment(started_at),
            uptime_s: started.elapsed().as_secs(),
            generation: configuration.generation,
            fingerprint: configuration.fingerprint,
            events: self.events_of(&shown, overview),
            deliveries: self.deliveries_of(&shown, &overview.waiting, &dead),
            store: StoreStats { database_bytes: usage.database_bytes, blob_bytes: usage.blob_bytes },
        })
    }

    pub(super) async fn dead_letters_found(&self) -> Result<Arc<DeadLetters>, ReadError> {
        let store = Arc::clone(&self.0.store);
        let found = self.0.dead_letters.get(async move { store.dead_letters().await });
        found.await.map_err(unreadable)
    }

    fn events_of(&self, shown: &Shown, overview: &Overview) -> EventStats {
        let sources: Vec<SourceName> = sources(shown).collect();
        let count = |kind: Kind| -> u64 {
            sources.iter().map(|source| self.0.counters.events_of(source.as_str(), kind)).sum()
        };
        let counts = kinds(shown).map(|kind| KindCount { kind: wire::kind(kind), count: count(kind) });
        EventStats {
            oldest_at: overview.oldest_event.map(wire::moment),
            newest_at: overview.newest_event.map(wire::moment),
            last_minute: overview.last_minute,
            last_hour: overview.last_hour,
            last_day: overview.last_day,
            since_start: counts.filter(|counted| counted.count > 0).collect(),
        }
    }

    fn deliveries_of(&self, shown: &Shown, waiting: &[Waits], dead: &DeadLetters) -> DeliveryStats {
        let mut dead_of: BTreeMap<&DestinationName, u64> = BTreeMap::new();
        for group in &dead.groups {
            *dead_of.entry(&group.destination).or_default() += group.count;
        }
        let configured = || shown.resolved.iter().map(|resolved| &resolved.destination.name);
        // Something may wait for one that is no longer configured.
        let known: BTreeSet<_> = configured().collect();
        let others: BTreeSet<_> =
            waiting.iter().map(|waits| &waits.destination).chain(dead_of.keys().copied()).collect();
        let destinations = configured().chain(others.difference(&known).copied()).map(|name| {
            let waits = waiting.iter().find(|waits| waits.destination == *name);
            let finished = DeliveryState::ALL.into_iter().map(|state| StateCount {
                state: wire::state(state),
                count: self.0.counters.finished_of(name.as_str(), state),
            });
            DestinationStats {
                destination: name.to_string(),
                waiting: waits.map_or(0, |waits| waits.waiting),
                oldest_waiting_at: waits.and_then(|waits| waits.oldest).map(wire::moment),
                dead: dead_of.get(name).copied().unwrap_or_default(),
                since_start: finished.filter(|counted| counted.count > 0).collect(),
            }
        });
        DeliveryStats {
            waiting: waiting.iter().map(|waits| waits.waiting).sum(),
            oldest_waiting_at: waiting.iter().filter_map(|waits| waits.oldest).min().map(wire::moment),
            dead: dead_of.values().sum(),
            dead_is_more: dead.is_more,
            destinations: destinations.collect(),
        }
    }
}

/// The kinds that an event can be of by the configuration in force.
pub(super) fn kinds(shown: &Shown) -> impl Iterator<Item = Kind> {
    let own = Kind::NAMES.iter().filter_map(|name| name.parse().ok());
    let emitted: BTreeSet<_> =
        shown.resolved.iter().flat_map(|resolved| &resolved.plugin.manifest.emits).copied().collect();
    own.chain(emitted.into_iter().map(Kind::Emitted))
}

/// Whatever events come from.
fn sources(shown: &Shown) -> impl Iterator<Item = SourceName> {
    let configured = shown.config.sources.iter().map(|source| source.name.clone());
    let made = shown.resolved.iter().map(|resolved| emit_source(&resolved.destination.name));
    configured.chain(made).chain([tracker_source()])
}
