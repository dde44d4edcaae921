//! A process of the plugin under check.

use std::{sync::Arc, time::Duration};

use postroom_core::outcome::{Outcome, OutcomeKind};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Broken, Subject};
use crate::{
    delivery::{Delivered, PluginDelivery},
    plugin_state::MemoryState,
    process::{Exit, Process, StartError},
};

/// Most deliveries that a check has under way at once; the plugin's manifest may want fewer.
pub(super) const AT_ONCE: u32 = 100;
/// How long a plugin may take to start. Shorter than in a gateway, where the machine may be busy with other things.
const START_MAX: Duration = Duration::from_secs(15);
/// Enough of a message to recognise it; several stand in one line.
const MESSAGE_CHARS_MAX: usize = 60;
/// The pause before an event is offered again to a plugin that was busy.
const BUSY_WAIT: Duration = Duration::from_millis(5);

/// A fresh process of the plugin. It is killed when the last clone is dropped.
#[derive(Debug, Clone)]
pub(super) struct Rig {
    process: Arc<Process>,
}

impl Rig {
    /// Starts it with the settings that it works with.
    pub(super) async fn start(subject: &Subject) -> Result<Self, Broken> {
        Ok(Self::start_with(subject, subject.instance.config.clone()).await?)
    }

    /// Starts it with any settings.
    pub(super) async fn start_with(subject: &Subject, config: Value) -> Result<Self, StartError> {
        let mut instance = subject.instance.clone();
        instance.config = config;
        instance.concurrency = AT_ONCE;
        // Nothing of one check is there in the next.
        instance.state = Some(Arc::new(MemoryState::default()));
        let mut launch = instance.launch();
        launch.limits.start = START_MAX;
        Ok(Self { process: Arc::new(Process::start(&launch).await?) })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid
    }

    /// Offers an event once and waits for the end of the attempt, whatever it is; `None` when the process has ended.
    pub(super) async fn offer(&self, delivery: &PluginDelivery) -> Option<Delivered> {
        let until = Instant::now() + delivery.time_limit;
        self.process.deliver(delivery, until, until).await
    }

    /// Delivers an event, for as long as the plugin says that it is busy again and again. Any outcome is a good one that
    /// the plugin gave by itself and in time.
    pub(super) async fn deliver(&self, delivery: &PluginDelivery) -> Result<Outcome, Broken> {
        let until = Instant::now() + delivery.time_limit;
        loop {
            match self.process.deliver(delivery, until, until).await {
                Some(Delivered::Outcome(outcome)) => return accepted(outcome, until),
                Some(Delivered::NotAccepted) if Instant::now() < until => sleep(BUSY_WAIT).await,
                Some(Delivered::NotAccepted | Delivered::Cancelled) => {
                    return Err(Broken::new(format!("it took no event for {:?}", delivery.time_limit)));
                }
                None => {
                    let exit = self.process.exited().await;
                    return Err(Broken::new(format!("its process has ended: {exit}")));
                }
            }
        }
    }

    /// Ends it as the gateway does when it stops: what is in flight has until `deadline` from now.
    pub(super) async fn stop(&self, deadline: Duration) -> Result<(), Broken> {
        self.process.stop(deadline).await;
        match self.process.exited().await {
            Exit::Code(0) => Ok(()),
            Exit::Killed(_) => Err(Broken::new(
                "it had to be killed: destroy has to stop and join every thread, and return within 5 s",
            )),
            exit => Err(Broken::new(format!("its process ended in the middle of it: {exit}"))),
        }
    }
}

/// Sorts out the outcomes that the gateway gives in the plugin's place.
fn accepted(outcome: Outcome, until: Instant) -> Result<Outcome, Broken> {
    let by_gateway = outcome.kind == OutcomeKind::Retry
        && match outcome.code.as_str() {
            "plugin_crashed" | "plugin_refused" | "panic" => true,
            // A plugin may have time-outs of its own.
            "timeout" => Instant::now() >= until,
            _ => false,
        };
    if by_gateway { Err(Broken::new(outcome.message)) } else { Ok(outcome) }
}

/// An outcome in a few words.
pub(super) fn in_words(outcome: &Outcome) -> String {
    let mut words = outcome.kind.as_str().to_owned();
    if !outcome.code.is_empty() {
        words.push_str(&format!(" {}", outcome.code));
    }
    if !outcome.message.is_empty() {
        words.push_str(": ");
        words.extend(outcome.message.chars().take(MESSAGE_CHARS_MAX));
        if outcome.message.chars().count() > MESSAGE_CHARS_MAX {
            words.push('…');
        }
    }
    words
}

/// Several outcomes in a few words, each of them once.
pub(super) fn all_in_words<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> String {
    let mut all: Vec<String> = Vec::new();
    for outcome in outcomes {
        let words = in_words(outcome);
        if !all.contains(&words) {
            all.push(words);
        }
    }
    all.join(", ")
}
