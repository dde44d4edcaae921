//! Replays: begun, advanced, cancelled.

use postroom_core::{
    id::{DeliveryId, ReplayId},
    replay::ReplayState,
    time::Timestamp,
};
use rusqlite::params;

use super::{ChangeError, Changes, Highest, Original};
use crate::{
    records::FreshDelivery,
    replays::NewReplay,
    sqlite::{
        replays::{destinations_json, filter_json},
        row::saturated,
    },
};

const INSERT_REPLAY: &str = "
    INSERT INTO replay (filter, destinations, per_second, matched, up_to, final_by, state, by, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'running', ?7, ?8)";
const MOVE_REPLAY: &str = "
    UPDATE replay SET position = ?3 WHERE id = ?1 AND position = ?2 AND finished_at IS NULL";
const COUNT_MADE: &str = "UPDATE replay SET made = made + ?2 WHERE id = ?1";
const END_REPLAY: &str = "
    UPDATE replay SET state = ?2, finished_at = ?3 WHERE id = ?1 AND finished_at IS NULL";
const TAKE_BACK_REPLAY: &str = "DELETE FROM replay WHERE id = ?1 AND made = 0";
const TAKE_BACK_END: &str = "
    UPDATE replay SET state = 'running', finished_at = NULL WHERE id = ?1 AND finished_at IS NOT NULL";

#[cfg(test)]
pub(super) const QUERIES: [&str; 5] = [MOVE_REPLAY, COUNT_MADE, END_REPLAY, TAKE_BACK_REPLAY, TAKE_BACK_END];

/// The next part of a replay, as it was found before the transaction.
#[derive(Debug)]
pub(in crate::sqlite) struct Step {
    /// Which replay.
    pub(in crate::sqlite) id: ReplayId,
    /// The last delivery that earlier parts have looked at.
    pub(in crate::sqlite) from: i64,
    /// The last one that this part has looked at.
    pub(in crate::sqlite) to: i64,
    /// What goes again, in the order of the ids.
    pub(in crate::sqlite) originals: Vec<Original>,
    /// Whether nothing is left to look at.
    pub(in crate::sqlite) is_last: bool,
}

impl Changes<'_> {
    /// Keeps a replay and gives its id. It takes the deliveries of now and none that come later.
    pub(in crate::sqlite) fn begin_replay(&mut self, new: &NewReplay) -> Result<ReplayId, ChangeError> {
        let up_to = Highest::read(self.connection)?.delivery.map_or(0, DeliveryId::get);
        let mut insert = self.connection.prepare_cached(INSERT_REPLAY)?;
        let id = insert.insert(params![
            filter_json(&new.filter),
            destinations_json(&new.destinations),
            new.per_second,
            saturated(new.count),
            up_to,
            new.final_by.as_unix_ms(),
            new.by,
            new.at.as_unix_ms(),
        ])?;
        Ok(ReplayId::new(id))
    }

    /// Makes the deliveries of one step. Does nothing when the replay has moved on or ended since the step was found:
    /// so no delivery goes twice, whoever else advances or cancels it.
    pub(in crate::sqlite) fn advance_replay(
        &mut self,
        step: &Step,
        at: Timestamp,
        fresh: &mut Vec<FreshDelivery>,
    ) -> Result<(), ChangeError> {
        let id = step.id.get();
        let mut advance = self.connection.prepare_cached(MOVE_REPLAY)?;
        if advance.execute([id, step.from, step.to])? == 0 {
            return Ok(());
        }
        let mut made = 0;
        for original in &step.originals {
            made += i64::from(self.replay(original, step.id, at, fresh)?);
        }
        self.connection.prepare_cached(COUNT_MADE)?.execute([id, made])?;
        if step.is_last {
            self.end_replay(step.id, ReplayState::Done, at)?;
        }
        Ok(())
    }

    /// Removes a replay whose beginning was refused, unless it has made something.
    pub(in crate::sqlite) fn take_back_replay(&mut self, id: ReplayId) -> rusqlite::Result<()> {
        self.connection.execute(TAKE_BACK_REPLAY, [id.get()])?;
        Ok(())
    }

    /// Ends a running replay; one that has ended stays as it is. Says whether it was running.
    pub(in crate::sqlite) fn end_replay(
        &mut self,
        id: ReplayId,
        state: ReplayState,
        at: Timestamp,
    ) -> rusqlite::Result<bool> {
        let mut end = self.connection.prepare_cached(END_REPLAY)?;
        Ok(end.execute(params![id.get(), state.as_str(), at.as_unix_ms()])? > 0)
    }

    /// Lets a replay run on whose end was refused.
    pub(in crate::sqlite) fn take_back_end(&mut self, id: ReplayId) -> rusqlite::Result<()> {
        self.connection.execute(TAKE_BACK_END, [id.get()])?;
        Ok(())
    }
}
