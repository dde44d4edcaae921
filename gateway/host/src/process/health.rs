//! Asks the plugin now and then how it is, and keeps its last answer.

use std::{sync::Arc, time::Duration};

use postroom_core::id::DestinationName;
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::Limits;
use crate::{
    clock,
    mask::Mask,
    plugin_health::{HealthReport, HealthState, PluginHealth},
    wire::Frame,
};

/// A process told how its plugin is and was not asked.
#[derive(Debug, thiserror::Error)]
#[error("it said how it is without being asked")]
pub(super) struct NotAsked;

/// The questions to one process.
#[derive(Debug)]
pub(super) struct HealthDesk {
    destination: DestinationName,
    mask: Arc<Mask>,
    interval: Duration,
    limit: Duration,
    /// When to ask next; `None` when the plugin has no `health`.
    next: Option<Instant>,
    /// When the question was sent that is not answered yet.
    asked: Option<Instant>,
    latest: watch::Sender<Option<PluginHealth>>,
}

impl HealthDesk {
    /// Asks from now on; what comes of it is seen by the second.
    pub(super) fn new(
        destination: DestinationName,
        mask: Arc<Mask>,
        limits: &Limits,
    ) -> (Self, watch::Receiver<Option<PluginHealth>>) {
        let (latest, health) = watch::channel(None);
        let (interval, limit) = (limits.health_interval, limits.health);
        let next = Some(Instant::now());
        (Self { destination, mask, interval, limit, next, asked: None, latest }, health)
    }

    /// Asks if it is time to; says what is wrong with a plugin that does not answer.
    pub(super) fn look(&mut self, now: Instant, outgoing: &mpsc::Sender<Frame>) -> Option<String> {
        if let Some(asked) = self.asked {
            let late = now.duration_since(asked) >= self.limit;
            return late.then(|| format!("it did not say how it is for {:?}", self.limit));
        }
        // Without room it is asked at the next look.
        if self.next.is_some_and(|next| next <= now) && outgoing.try_send(Frame::health()).is_ok() {
            (self.asked, self.next) = (Some(now), Some(now + self.interval));
        }
        None
    }

    /// The answer to a question; `None` from a plugin that cannot be asked.
    pub(super) fn answer(&mut self, report: Option<&HealthReport>) -> Result<(), NotAsked> {
        self.asked.take().ok_or(NotAsked)?;
        let Some(report) = report else {
            self.next = None;
            return Ok(());
        };
        let before = self.latest.borrow().clone();
        let health = PluginHealth::of(report, &self.mask, before.as_ref(), clock::now());
        let was = before.as_ref().map_or(HealthState::Ok, |before| before.state);
        if health.state != was {
            self.tell(&health);
        }
        if before.as_ref() != Some(&health) {
            self.latest.send_replace(Some(health));
        }
        Ok(())
    }

    fn tell(&self, health: &PluginHealth) {
        let destination = self.destination.as_str();
        if health.state == HealthState::Ok {
            tracing::info!(destination, "plugin is well again");
        } else {
            let reason = self.mask.one_line(health.message(), MESSAGE_BYTES_MAX);
            tracing::warn!(destination, state = health.state.as_str(), reason, "plugin is not well");
        }
    }
}

/// Enough of a message for a line of the log.
const MESSAGE_BYTES_MAX: usize = 1024;

#[cfg(test)]
mod tests;
