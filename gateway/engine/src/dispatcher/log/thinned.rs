//! Lines of one sort in the log, however many there would be: some each second, and how many were left out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use postroom_core::rate::RateLimit;

use crate::clock::Steady;

/// Lines a second of one sort.
const LINES_PER_SECOND: u32 = 10;

/// When nothing was left out for so long, the burst is over.
const QUIET_FOR: Duration = Duration::from_secs(1);

/// Tells lines of one sort; cheap to clone, all clones count together.
#[derive(Debug, Clone)]
pub(in crate::dispatcher) struct Thinned(Arc<Lines>);

#[derive(Debug)]
struct Lines {
    /// What they are about.
    about: &'static str,
    steady: Steady,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    limit: RateLimit,
    /// Since the last line.
    left_out: u64,
    /// A task waits for the end of the burst.
    awaited: bool,
    /// None was left out since that task has looked.
    quiet: bool,
}

impl Thinned {
    pub(in crate::dispatcher) fn new(about: &'static str, steady: Steady) -> Self {
        let limit = RateLimit::per_second(LINES_PER_SECOND);
        let state = Mutex::new(State { limit, left_out: 0, awaited: false, quiet: true });
        Self(Arc::new(Lines { about, steady, state }))
    }

    /// Has `say` write a line, unless there were too many just now. It is given how many were left out before it; `None`
    /// when none was, so that the field is not there. Needs a runtime.
    pub(in crate::dispatcher) fn tell(&self, say: impl FnOnce(Option<u64>)) {
        let now = self.0.steady.now();
        let mut state = self.0.lock();
        if state.limit.take(now).is_ok() {
            let left_out = state.take_left_out();
            drop(state);
            return say(left_out);
        }
        state.left_out += 1;
        state.quiet = false;
        if !std::mem::replace(&mut state.awaited, true) {
            tokio::spawn(tell_the_rest(Arc::downgrade(&self.0)));
        }
    }
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere cannot leave a number half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether none was left out since this was asked for the last time. What is not told yet is told then.
    fn has_ended(&self) -> bool {
        let mut state = self.lock();
        if !std::mem::replace(&mut state.quiet, true) {
            return false;
        }
        state.awaited = false;
        let left_out = state.take_left_out();
        drop(state);
        self.say(left_out);
        true
    }

    fn say(&self, left_out: Option<u64>) {
        if let Some(left_out) = left_out {
            tracing::warn!(left_out, about = self.about, "lines were left out of the log");
        }
    }
}

impl State {
    fn take_left_out(&mut self) -> Option<u64> {
        Some(std::mem::take(&mut self.left_out)).filter(|left_out| *left_out > 0)
    }
}

/// One for a whole burst: it ends with it.
async fn tell_the_rest(lines: Weak<Lines>) {
    loop {
        tokio::time::sleep(QUIET_FOR).await;
        if lines.upgrade().is_none_or(|lines| lines.has_ended()) {
            return;
        }
    }
}

/// The dispatcher ends: what is counted and not told yet is told now.
impl Drop for Lines {
    fn drop(&mut self) {
        let left_out = self.lock().take_left_out();
        self.say(left_out);
    }
}

#[cfg(test)]
mod tests;
