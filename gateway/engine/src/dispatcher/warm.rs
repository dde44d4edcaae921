//! Events that were just committed or read ahead, kept at hand for their next attempt.
//!
//! To read one event from the store costs more than all the rest of a delivery. So deliveries that wait their turn in
//! the store are kept too: when they are read, only their place in line has to be.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use postroom_core::{
    id::{DeliveryId, DestinationName},
    limits,
    time::Timestamp,
};

use crate::{Destination, attempt::Warm};

/// What is not used by then goes: its destination is away, or it was delivered in another way.
const AGE_MAX: Duration = Duration::from_secs(10 * 60);

/// About what an event's texts and the map around it take.
const EVENT_BYTES: usize = 1024;

/// Bounded by bytes; what does not fit is read from the store when its turn comes. Each destination has a share of its
/// own, so that one which is paused does not make the others read.
#[derive(Debug)]
pub(super) struct WarmBodies {
    shares: HashMap<DestinationName, Share>,
    share_bytes_max: usize,
}

#[derive(Debug, Default)]
struct Share {
    /// Ids grow, so the first is about the one that was kept first.
    kept: BTreeMap<DeliveryId, (Timestamp, Warm)>,
    bytes: usize,
}

impl WarmBodies {
    pub(super) fn of(destinations: &[Destination]) -> Self {
        Self {
            shares: destinations.iter().map(|it| (it.name.clone(), Share::default())).collect(),
            share_bytes_max: limits::WARM_BODY_BYTES_MAX / destinations.len().max(1),
        }
    }

    /// Has a share for one more destination. Those of the others become smaller.
    pub(super) fn open(&mut self, destination: &DestinationName) {
        self.shares.entry(destination.clone()).or_default();
        self.share_bytes_max = limits::WARM_BODY_BYTES_MAX / self.shares.len().max(1);
    }

    pub(super) fn keep(&mut self, destination: &DestinationName, id: DeliveryId, warm: Warm, now: Timestamp) {
        let Some(share) = self.shares.get_mut(destination) else { return };
        share.drop_older(now);
        let size = size(&warm);
        // The feed and a read may both bring it.
        if share.kept.contains_key(&id) {
            return;
        }
        if share.bytes + size <= self.share_bytes_max {
            share.bytes += size;
            share.kept.insert(id, (now, warm));
        }
    }

    pub(super) fn has(&self, destination: &DestinationName, id: DeliveryId) -> bool {
        self.shares.get(destination).is_some_and(|share| share.kept.contains_key(&id))
    }

    /// Whether one more would be kept, however large.
    pub(super) fn has_room(&self, destination: &DestinationName) -> bool {
        let most = EVENT_BYTES + limits::INLINE_BODY_BYTES_MAX;
        self.shares.get(destination).is_some_and(|share| share.bytes + most <= self.share_bytes_max)
    }

    pub(super) fn take(&mut self, destination: &DestinationName, id: DeliveryId) -> Option<Warm> {
        let share = self.shares.get_mut(destination)?;
        let (_, warm) = share.kept.remove(&id)?;
        share.bytes -= size(&warm);
        Some(warm)
    }
}

impl Share {
    fn drop_older(&mut self, now: Timestamp) {
        while let Some(first) = self.kept.first_entry()
            && first.get().0.plus(AGE_MAX) < now
        {
            let (_, warm) = first.remove();
            self.bytes -= size(&warm);
        }
    }
}

fn size((_, body): &Warm) -> usize {
    EVENT_BYTES + body.as_ref().map_or(0, bytes::Bytes::len)
}

#[cfg(test)]
mod tests;
