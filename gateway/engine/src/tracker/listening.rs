//! Since when the gateway has been listening without a gap, and since when it was not before.
//!
//! Silence is judged by what could have been heard. Where the wall clock jumps, nobody knows what that was: a machine
//! that slept heard nothing, and one whose clock was set right has been measuring with a wrong one. Both begin anew.

use std::time::Duration;

use postroom_core::{monitor::Watch, time::Timestamp};
use tokio::time::Instant;

use crate::Clock;

/// A clock that is off by less has not jumped, and a store that has kept nothing for less had nothing to keep.
pub(super) const AWAY_MAX: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Listening {
    clock: Clock,
    watch: Watch,
    /// The last look at the wall clock, and when that was by one that never jumps.
    wall: Timestamp,
    steady: Instant,
    /// When the store kept something the last time, by both.
    kept: (Timestamp, Instant),
}

impl Listening {
    /// Begins now.
    pub(super) fn start(clock: Clock) -> Self {
        let (wall, steady) = (clock.now(), Instant::now());
        // Nothing is known of the time before.
        Self { clock, watch: Watch::since(wall), wall, steady, kept: (wall, steady) }
    }

    pub(super) fn watch(&self) -> Watch {
        self.watch.clone()
    }

    /// Goes on from an earlier run of the gateway, which was alive at that moment and had listened as `before` says.
    ///
    /// Where the clock has fallen back meanwhile, what was heard by it before is still true of the runs that were heard by
    /// it; what it said to be later than now is forgotten.
    pub(super) fn go_on(&mut self, alive_at: Timestamp, mut before: Watch) {
        // However short it was: among many monitors there is one whose run was due then.
        before.away(alive_at, self.watch.listening_since());
        self.watch = before;
    }

    /// The time now, and whether the clock has jumped since the last look.
    pub(super) fn look(&mut self) -> (Timestamp, bool) {
        let before = self.wall;
        let expected = before.plus(self.steady.elapsed());
        (self.wall, self.steady) = (self.clock.now(), Instant::now());
        let off = expected.until(self.wall).max(self.wall.until(expected));
        let jumped = off >= AWAY_MAX;
        if jumped {
            tracing::warn!(
                off_s = off.as_secs(),
                "the clock has jumped, or the machine slept: which monitors are silent is judged anew from now on"
            );
            self.watch.away(before, self.wall);
        }
        let (kept, steady) = self.kept;
        if steady.elapsed() >= AWAY_MAX {
            // A store that has kept nothing for long has taken no runs either.
            self.watch.away(kept, self.wall);
        }
        (self.wall, jumped)
    }

    /// The store keeps something.
    pub(super) fn kept(&mut self) {
        self.kept = (self.wall, Instant::now());
    }

    /// How long ago that was.
    pub(super) fn kept_ago(&self) -> Duration {
        self.kept.1.elapsed()
    }
}

#[cfg(test)]
mod tests;
