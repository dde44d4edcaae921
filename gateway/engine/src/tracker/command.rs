//! What people want of the tracker.

use postroom_core::monitor::{Monitor, Mute};
use postroom_store::{Alive, MonitorChange, StoreError, TrackChange};
use tokio::sync::oneshot;

use super::{Place, Tracker, Tracking, changes, forget::End};

/// Something that a person wants of a monitor.
#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) uid: String,
    pub(crate) wish: Wish,
    /// The monitor, if there is one: as it is then, or as it was if it is forgotten.
    pub(crate) answer: oneshot::Sender<Result<Option<Monitor>, StoreError>>,
}

/// What it is.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Mutes it, or ends that with `None`.
    Mute(Option<Mute>),
    /// It is no more: what is open of it ends, and it goes with its runs.
    Forget {
        /// Who says so.
        by: String,
    },
}

impl Tracker {
    /// Does what somebody wants, and says how it went; also while nothing is followed.
    pub(super) async fn carry_out(
        &mut self,
        command: Command,
        settings: &Tracking,
    ) -> Result<(), StoreError> {
        let Command { uid, wish, answer } = command;
        let done = match wish {
            Wish::Mute(mute) => self.mute(uid, mute, settings).await,
            Wish::Forget { by } => self.forget(uid, &by, settings).await,
        };
        let (answered, kept) = match done {
            Ok(Done::Kept(monitor, kept)) => (kept.clone().map(|()| Some(*monitor)), kept),
            Ok(Done::NoMonitor) => (Ok(None), Ok(())),
            // What cannot be read concerns only whoever asked.
            Err(unread) => (Err(unread), Ok(())),
        };
        // Whoever asked may have gone away.
        drop(answer.send(answered));
        kept
    }

    async fn mute(
        &mut self,
        uid: String,
        mute: Option<Mute>,
        settings: &Tracking,
    ) -> Result<Done, StoreError> {
        let Some((change, alive)) = self.muted(uid, mute, settings).await? else {
            return Ok(Done::NoMonitor);
        };
        let (monitor, due_at) = (change.monitor.clone(), change.due_at);
        let kept = self.keep(TrackChange { monitors: vec![change], ..changes::nothing(None, alive) }).await;
        if kept.is_ok() {
            if let Some(Place { due_first, .. }) = &mut self.place {
                *due_first = (*due_first).into_iter().chain(due_at).min();
            }
            tracing::debug!(
                monitor = monitor.identity.uid,
                muted = monitor.mute.is_some(),
                "mute of a monitor changed"
            );
        }
        Ok(Done::Kept(Box::new(monitor), kept))
    }

    async fn forget(&mut self, uid: String, by: &str, settings: &Tracking) -> Result<Done, StoreError> {
        let Some(End { monitor, change }) = self.end(uid, by, settings).await? else {
            return Ok(Done::NoMonitor);
        };
        let made: Vec<_> = change.events.iter().map(|new| (new.event.clone(), new.targets.len())).collect();
        let kept = self.keep(change).await;
        if kept.is_ok() {
            for (event, deliveries) in made {
                self.intake.kept(&event, deliveries);
            }
            tracing::debug!(monitor = monitor.identity.uid, "monitor forgotten");
        }
        Ok(Done::Kept(Box::new(monitor), kept))
    }

    /// The monitor as it is with that mute, and a sign of life; nothing if there is no such monitor.
    async fn muted(
        &mut self,
        uid: String,
        mute: Option<Mute>,
        settings: &Tracking,
    ) -> Result<Option<(MonitorChange, Alive)>, StoreError> {
        let Some(row) = self.store.monitor(uid).await? else { return Ok(None) };
        let monitor = Monitor { mute, ..row.monitor };
        let (now, alive) = self.sign(settings).await?;
        // Looked at again at once: what was held back is told, or a reminder is put off. Not if only history is known of it.
        let due_at = row.due_at.map(|_| now);
        let due_at =
            due_at.or_else(|| self.place.as_ref().and_then(|place| self.due(&monitor, place, settings, now)));
        Ok(Some((MonitorChange { monitor, due_at, runs: Vec::new() }, alive)))
    }
}

/// What came of a wish.
enum Done {
    NoMonitor,
    /// The monitor, and whether the change was kept.
    Kept(Box<Monitor>, Result<(), StoreError>),
}
