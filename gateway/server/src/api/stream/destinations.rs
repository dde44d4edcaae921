//! How destinations stand. Nobody tells of that, so it is looked at now and then, as long as somebody follows.

use std::{collections::BTreeMap, sync::Arc};

use postroom_engine::{DestinationLoad, Handle};
use postroom_openapi::{destinations::Destination, stream::Change};
use postroom_store::{Store, StoreError};

use super::super::{DestinationInfo, Destinations, IDLE, waiting_for, wire};

/// Looks at the destinations, and knows how they stood before.
#[derive(Debug)]
pub(crate) struct Look {
    store: Arc<dyn Store>,
    engine: Arc<Handle>,
    destinations: Arc<Destinations>,
    before: Option<BTreeMap<String, Destination>>,
}

/// What is different from the look before.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Those that changed or are new.
    pub(super) changed: Vec<Change>,
    /// There are some no more.
    pub(super) removed: bool,
}

impl Look {
    pub(crate) fn new(store: Arc<dyn Store>, engine: Arc<Handle>, destinations: Arc<Destinations>) -> Self {
        Self { store, engine, destinations, before: None }
    }

    /// The next look is the first one.
    pub(super) fn forget(&mut self) {
        self.before = None;
    }

    /// Looks. The first time there is nothing to compare with.
    pub(super) async fn look(&mut self) -> Result<Seen, StoreError> {
        let loads = self.engine.loads().await;
        let infos = self.destinations.all();
        let load = |info: &DestinationInfo| loads.get(&info.name).cloned().unwrap_or(IDLE);
        let now: BTreeMap<_, _> =
            infos.iter().map(|info| (info.name.to_string(), standing(info, load(info)))).collect();
        let Some(before) = &self.before else {
            self.before = Some(now);
            return Ok(Seen::default());
        };
        let removed = before.keys().any(|name| !now.contains_key(name));
        let is_other =
            |info: &&DestinationInfo| before.get(info.name.as_str()) != now.get(info.name.as_str());
        let others: Vec<_> = infos.iter().filter(is_other).collect();
        let mut seen = Seen { changed: Vec::with_capacity(others.len()), removed };
        if !others.is_empty() {
            let waiting = self.store.waiting_counts().await?;
            for info in others {
                let load = load(info);
                let waits = waiting_for(&waiting, &info.name, load.in_flight);
                seen.changed.push(Change::destination(&wire::destination(info, load, waits)));
            }
        }
        self.before = Some(now);
        Ok(seen)
    }
}

/// A destination without the numbers that change with every delivery.
fn standing(info: &DestinationInfo, load: DestinationLoad) -> Destination {
    let mut destination = wire::destination(info, DestinationLoad { in_flight: 0, behind: false, ..load }, 0);
    if let Some(process) = &mut destination.process {
        (process.memory_bytes, process.threads) = (None, None);
    }
    destination
}
