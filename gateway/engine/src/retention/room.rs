//! How many events go at once when room is short: what one of them frees shows only afterwards, and may be a hundred
//! bytes or a hundred megabytes.

use super::CHUNK_ROWS;

/// The chunks of one look at the store.
#[derive(Debug, Default)]
pub(super) struct Room {
    last: Option<Chunk>,
}

#[derive(Debug, Clone, Copy)]
struct Chunk {
    /// How much was used before it.
    used: u64,
    asked: usize,
    /// May be fewer: it looks at so many, and what waits stays.
    removed: u64,
}

impl Room {
    /// Gives how many of the oldest events to remove next, while `used` bytes are `over` too many: as many as it takes if
    /// each frees what each of the last chunk did, and never more than twice as many as there.
    pub(super) fn next(&mut self, used: u64, over: u64) -> usize {
        let asked = match self.last {
            None => 1,
            // All that it looked at waits: that says nothing of those that may go.
            Some(Chunk { asked, removed: 0, .. }) => asked,
            Some(Chunk { used: before, asked, removed }) => {
                // Nothing to go by: rows free whole pages, and new events take room meanwhile.
                let wanted =
                    over.checked_div(before.saturating_sub(used) / removed).map_or(usize::MAX, |wanted| {
                        usize::try_from(wanted).unwrap_or(usize::MAX).saturating_add(1)
                    });
                wanted.min(asked * 2).min(CHUNK_ROWS)
            }
        };
        self.last = Some(Chunk { used, asked, removed: 0 });
        asked
    }

    /// Says how many events the last chunk removed.
    pub(super) fn removed(&mut self, events: u64) {
        if let Some(last) = &mut self.last {
            last.removed = events;
        }
    }
}

#[cfg(test)]
mod tests;
