//! A process of the plugin under check.

use std::{sync::Arc, time::Duration};

use postroom_core::outcome::{Outcome, OutcomeKind};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::{Broken, Subject};
use crate::{
    delivery::{Delivered, PluginDelivery},
    faults::Faults,
    plugin_health::PluginHealth,
    plugin_state::MemoryState,
    process::{Exit, Launch, Limits, Process, StartError},
    wire::Frame,
};

/// Most deliveries that a check has under way at once; the plugin's manifest may want fewer.
pub(super) const AT_ONCE: u32 = 100;
/// How long a plugin may take to start. Shorter than in a gateway, where the machine may be busy with other things.
const START_MAX: Duration = Duration::from_secs(15);
/// How long what is in flight has to end, where nothing is.
const STOP_MAX: Duration = Duration::from_secs(5);
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
        Self::launch(subject, config, Limits::default()).await
    }

    /// Starts it with the settings that it works with, under a gateway that is less patient.
    pub(super) async fn start_within(subject: &Subject, limits: Limits) -> Result<Self, Broken> {
        Ok(Self::launch(subject, subject.instance.config.clone(), limits).await?)
    }

    async fn launch(subject: &Subject, config: Value, limits: Limits) -> Result<Self, StartError> {
        let launch = Self::to_launch(subject, config, limits);
        Ok(Self { process: Arc::new(Process::start(&launch).await?) })
    }

    /// What a process of the plugin is started with here.
    pub(super) fn to_launch(subject: &Subject, config: Value, limits: Limits) -> Launch {
        let mut instance = subject.instance.clone();
        instance.config = config;
        instance.concurrency = AT_ONCE;
        // Nothing of one check is there in the next.
        instance.state = Some(Arc::new(MemoryState::default()));
        let mut launch = instance.launch(Arc::default());
        launch.limits = Limits { start: START_MAX, ..limits };
        launch
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
        self.deliver_kind(delivery, delivery.event.kind.as_str()).await
    }

    /// The same with an event that is said to be of this kind.
    pub(super) async fn deliver_kind(
        &self,
        delivery: &PluginDelivery,
        kind: &str,
    ) -> Result<Outcome, Broken> {
        let until = Instant::now() + delivery.time_limit;
        loop {
            let frame = |token, delivery: &_| Frame::deliver_kind(kind, token, delivery);
            match self.process.deliver_as(delivery, until, until, frame).await {
                Some(Delivered::Outcome(outcome) | Delivered::Interrupted(outcome)) => {
                    return accepted(outcome, until);
                }
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

    /// Waits for the first word of its `health` at most for `limit`; `None` when there is none, or when the process has ended.
    pub(super) async fn health(&self, limit: Duration) -> Option<PluginHealth> {
        let mut health = self.process.health();
        let said = timeout(limit, health.wait_for(Option::is_some)).await.ok()?.ok()?;
        said.clone()
    }

    /// Why its process has ended, if it has.
    pub(super) async fn ended(&self) -> Option<Exit> {
        timeout(Duration::ZERO, self.process.exited()).await.ok()
    }

    /// Ends it in whatever way, and gives the rules that it broke.
    pub(super) async fn faults(&self) -> Faults {
        self.process.stop(STOP_MAX).await;
        *self.process.faults().borrow()
    }

    /// Ends it as the gateway does when it stops: what is in flight has until `deadline` from now.
    pub(super) async fn stop(&self, deadline: Duration) -> Result<(), Broken> {
        self.process.stop(deadline).await;
        match self.process.exited().await {
            Exit::Code(0) => left_nothing(*self.process.faults().borrow()),
            Exit::Killed(_) | Exit::HeldOn(_) => Err(Broken::new(
                "it had to be killed: destroy has to stop and join every thread, and return within 5 s",
            )),
            exit => Err(Broken::new(format!("its process ended in the middle of it: {exit}"))),
        }
    }
}

/// Whether nothing of it went on when `destroy` had returned.
fn left_nothing(faults: Faults) -> Result<(), Broken> {
    let Faults { threads, late, .. } = faults;
    let broken = match (threads, late) {
        (0, 0) => return Ok(()),
        (0, late) => format!("{late} calls of the host came after destroy had returned"),
        (1, _) => "a thread was left when destroy had returned".to_owned(),
        (threads, _) => format!("{threads} threads were left when destroy had returned"),
    };
    Err(Broken::new(format!("{broken}: destroy has to stop and join every thread")))
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
