//! Webhooks that are turned away. Postman does not send again and shows nobody what it was answered, so the log is where
//! people look; and strangers who guess tokens must not fill it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use postroom_core::id::SourceName;

/// After a line, more of the same are counted for so long and told in one line then.
const GATHERED_FOR: Duration = Duration::from_secs(10);

/// Tells of refusals. The first of a kind is told at once, those that follow with their number.
#[derive(Debug, Default)]
pub(super) struct Refusals(Arc<Untold>);

/// Those that were told lately, with the number of those since. As many as there are sources and reasons, at most.
#[derive(Debug, Default)]
struct Untold(Mutex<HashMap<Refusal, u64>>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Refusal {
    /// Only of a caller with a token: otherwise a stranger wrote the name.
    source: Option<SourceName>,
    reason: String,
}

impl Refusals {
    /// Says that a webhook was refused. `reason` is one of a few sentences of ours. Needs a runtime.
    pub(super) fn tell(&self, source: Option<&SourceName>, reason: &str) {
        let refusal = Refusal { source: source.cloned(), reason: reason.to_owned() };
        if self.0.is_first(&refusal) {
            refusal.say(1);
            tokio::spawn(say_the_rest(Arc::downgrade(&self.0), refusal));
        }
    }
}

impl Untold {
    fn lock(&self) -> MutexGuard<'_, HashMap<Refusal, u64>> {
        // A panic elsewhere cannot leave a number half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts it, if one like it was told lately.
    fn is_first(&self, refusal: &Refusal) -> bool {
        let mut untold = self.lock();
        match untold.get_mut(refusal) {
            Some(count) => {
                *count += 1;
                false
            }
            None => {
                untold.insert(refusal.clone(), 0);
                true
            }
        }
    }

    /// How many have come since the last line; `None`, and the next is a first one again, when there were none.
    fn take(&self, refusal: &Refusal) -> Option<u64> {
        let mut untold = self.lock();
        let count = untold.get_mut(refusal).map(std::mem::take).filter(|count| *count > 0);
        if count.is_none() {
            untold.remove(refusal);
        }
        count
    }
}

async fn say_the_rest(untold: Weak<Untold>, refusal: Refusal) {
    loop {
        tokio::time::sleep(GATHERED_FOR).await;
        let Some(count) = untold.upgrade().and_then(|untold| untold.take(&refusal)) else { return };
        refusal.say(count);
    }
}

impl Refusal {
    fn say(&self, count: u64) {
        let source = self.source.as_ref().map(tracing::field::display);
        tracing::warn!(source, count, reason = self.reason, "webhook refused");
    }
}

/// The gateway ends: what is counted and not told yet is told now.
impl Drop for Untold {
    fn drop(&mut self) {
        for (refusal, count) in self.lock().drain().filter(|(_, count)| *count > 0) {
            refusal.say(count);
        }
    }
}

#[cfg(test)]
mod tests;
