//! What a process tells of the rules that its plugin broke.

use postroom_core::id::DestinationName;
use tokio::sync::watch;

use crate::faults::Faults;

/// The last word of one process.
#[derive(Debug)]
pub(super) struct FaultBook {
    destination: DestinationName,
    told: watch::Sender<Faults>,
}

impl FaultBook {
    /// What is noted is seen by the second.
    pub(super) fn new(destination: DestinationName) -> (Self, watch::Receiver<Faults>) {
        let (told, faults) = watch::channel(Faults::default());
        (Self { destination, told }, faults)
    }

    /// Notes what the process says, and logs a rule that was kept until now. Once for each rule: a plugin can say so any
    /// number of times.
    pub(super) fn note(&self, said: Faults) {
        let before = *self.told.borrow();
        let now = before.or_more(said);
        for ((rule, count), (_, before)) in now.counts().into_iter().zip(before.counts()) {
            if before == 0 && count > 0 {
                let destination = self.destination.as_str();
                tracing::warn!(
                    destination,
                    rule,
                    meaning = meaning(rule),
                    "plugin broke a rule of its contract"
                );
            }
        }
        if now != before {
            self.told.send_replace(now);
        }
    }
}

fn meaning(rule: &str) -> &'static str {
    match rule {
        "stale" => "it ended a delivery that it did not hold",
        "late" => "it called its host after destroy",
        "slow" => "deliver took longer than 50 ms",
        _ => "a thread was left after destroy",
    }
}

#[cfg(test)]
mod tests;
