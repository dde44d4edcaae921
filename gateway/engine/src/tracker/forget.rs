//! Ends a monitor that is no more, because a person says so: nobody can send the run that is missing.

use postroom_core::monitor::Monitor;
use postroom_store::{StoreError, TrackChange};

use super::{
    Tracker, Tracking, changes,
    work::{Touched, Work},
};

/// The end of a monitor: one change, of which the last part is that it goes.
#[derive(Debug)]
pub(super) struct End {
    /// As it was.
    pub(super) monitor: Monitor,
    pub(super) change: TrackChange,
}

impl Tracker {
    /// What is to be kept so that the monitor is forgotten; nothing if there is no such monitor.
    pub(super) async fn end(
        &mut self,
        uid: String,
        by: &str,
        settings: &Tracking,
    ) -> Result<Option<End>, StoreError> {
        let Some(row) = self.store.monitor(uid).await? else { return Ok(None) };
        let (now, alive) = self.sign(settings).await?;
        let mut touched = Touched::new(row.monitor.clone());
        touched.effects = touched.monitor.forget(by, now).into_iter().map(|effect| (effect, None)).collect();
        let mut work = Work::default();
        work.monitors.push(touched);
        let mut records = self.records(&work).await?;
        let (mut events, mut told) = (Vec::new(), work.told().into_iter().peekable());
        for (number, (effect, _)) in work.monitors[0].effects.iter().enumerate() {
            let event = told.next_if(|(_, of, _)| *of == number).map(|(.., mut told)| {
                told.forgotten_by = Some(by.to_owned());
                self.intake.make(told.made(now), now)
            });
            records.note(&row.monitor.identity, effect, event.as_ref().map(|new| new.event.id), now);
            events.extend(event);
        }
        let change = TrackChange {
            incidents: records.into_records(),
            forgotten: vec![row.monitor.identity.uid.clone()],
            events,
            ..changes::nothing(None, alive)
        };
        Ok(Some(End { monitor: row.monitor, change }))
    }
}
