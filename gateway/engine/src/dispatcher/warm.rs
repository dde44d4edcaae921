//! Events that were just committed, kept at hand for their first attempt.

use std::collections::HashMap;

use postroom_core::{id::DeliveryId, limits};

use crate::attempt::Warm;

/// Bounded by bytes; what does not fit is read from the store when its turn comes.
#[derive(Debug, Default)]
pub(super) struct WarmBodies {
    kept: HashMap<DeliveryId, Warm>,
    bytes: usize,
}

impl WarmBodies {
    pub(super) fn keep(&mut self, id: DeliveryId, warm: Warm) {
        let size = size(&warm);
        if self.bytes + size <= limits::WARM_BODY_BYTES_MAX {
            self.bytes += size;
            self.kept.insert(id, warm);
        }
    }

    pub(super) fn take(&mut self, id: DeliveryId) -> Option<Warm> {
        let warm = self.kept.remove(&id)?;
        self.bytes -= size(&warm);
        Some(warm)
    }
}

/// The body, and about what an event's texts and the map around it take.
fn size((_, body): &Warm) -> usize {
    const EVENT_BYTES: usize = 1024;
    EVENT_BYTES + body.as_ref().map_or(0, bytes::Bytes::len)
}
