//! Waiting awake for what most likely comes at once.

use std::{
    hint, thread,
    time::{Duration, Instant},
};

/// The longest wait that is worth staying awake for. To sleep and be woken takes a good part of it.
const SPIN: Duration = Duration::from_micros(50);

/// How one thread waits: awake for a moment while its last wait was short, and asleep otherwise. So what comes seldom costs
/// nothing, and a thread whose work ends burns one such moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spin {
    /// There is another core for whoever is waited for.
    may: bool,
    was_short: bool,
}

impl Spin {
    pub(super) fn new() -> Self {
        Self { may: thread::available_parallelism().is_ok_and(|cores| cores.get() > 1), was_short: false }
    }

    /// Waits for what `look` finds, or `sleep` comes back with. Both are given `what`.
    pub(super) fn wait<W: ?Sized, T>(
        &mut self,
        what: &mut W,
        look: impl Fn(&mut W) -> Option<T>,
        sleep: impl FnOnce(&mut W) -> T,
    ) -> T {
        let began = Instant::now();
        self.wait_by(|| began.elapsed(), what, look, sleep)
    }

    /// The same by a clock that says for how long it has waited.
    fn wait_by<W: ?Sized, T>(
        &mut self,
        waited: impl Fn() -> Duration,
        what: &mut W,
        look: impl Fn(&mut W) -> Option<T>,
        sleep: impl FnOnce(&mut W) -> T,
    ) -> T {
        while self.was_short && waited() < SPIN {
            if let Some(found) = look(what) {
                return found;
            }
            hint::spin_loop();
        }
        let found = sleep(what);
        self.was_short = self.may && waited() < SPIN;
        found
    }
}

#[cfg(test)]
mod tests;
