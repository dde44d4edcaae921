//! The statements that change the database, inside a transaction that someone else commits.

mod accept;
mod access;
mod again;
mod audit;
mod mark;
mod plugin_state;
mod prune;
mod replay;
mod track;

use postroom_core::{id::DeliveryId, time::Timestamp};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

pub(super) use self::{
    accept::EventRow, again::Original, plugin_state::StateWritten, prune::Victim, replay::Step,
    track::Tracking,
};
use super::row::milliseconds;
use crate::{
    error::StoreError,
    records::{ATTEMPTS_KEPT_MAX, AttemptRecord, DeliveryChange, Pause},
};

const DELIVERY_EXISTS: &str = "SELECT 1 FROM delivery WHERE id = ?1";
const SETTLE: &str = "
    UPDATE delivery SET state = ?2, attempts = coalesce(?3, attempts), due = ?4, finished_at = ?5 WHERE id = ?1";
macro_rules! settle_with_attempt {
    ($where:literal) => {
        concat!(
            "UPDATE delivery
             SET state = ?2, attempts = coalesce(?3, attempts), due = ?4, finished_at = ?5,
                 last_attempt = last_attempt + 1, attempt_started_at = ?6, attempt_finished_at = ?7,
                 outcome = ?8, retry_after_ms = ?9, code = ?10, message = ?11, record = ?12
             WHERE ",
            $where
        )
    };
}
const SETTLE_WITH_FIRST_ATTEMPT: &str = settle_with_attempt!("id = ?1 AND last_attempt = 0");
const SETTLE_WITH_ATTEMPT: &str = settle_with_attempt!("id = ?1");
const LAST_ATTEMPT: &str = "SELECT last_attempt FROM delivery WHERE id = ?1";
const MOVE_ATTEMPT: &str = "
    INSERT INTO attempt (delivery, number, started_at, finished_at, outcome, retry_after_ms, code, message, record)
    SELECT id, last_attempt, attempt_started_at, attempt_finished_at, outcome, retry_after_ms, code, message, record
    FROM delivery WHERE id = ?1";
const DELETE_ATTEMPT: &str = "DELETE FROM attempt WHERE delivery = ?1 AND number = ?2";
const PAUSE: &str = "SELECT at, by FROM pause WHERE destination = ?1";
const SET_PAUSE: &str = "INSERT OR REPLACE INTO pause (destination, at, by) VALUES (?1, ?2, ?3)";
const CLEAR_PAUSE: &str = "DELETE FROM pause WHERE destination = ?1";

/// Every statement that looks something up, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) fn queries() -> impl Iterator<Item = &'static str> {
    let own = [
        DELIVERY_EXISTS,
        SETTLE,
        SETTLE_WITH_FIRST_ATTEMPT,
        SETTLE_WITH_ATTEMPT,
        LAST_ATTEMPT,
        MOVE_ATTEMPT,
        DELETE_ATTEMPT,
        PAUSE,
        CLEAR_PAUSE,
    ];
    own.into_iter()
        .chain(accept::QUERIES)
        .chain(access::QUERIES)
        .chain(audit::QUERIES)
        .chain(mark::QUERIES)
        .chain(again::QUERIES)
        .chain(plugin_state::QUERIES)
        .chain(replay::QUERIES)
        .chain(track::QUERIES)
        .chain(prune::QUERIES)
}

/// Why a statement was not carried out.
#[derive(Debug)]
pub(super) enum ChangeError {
    /// The request makes no sense; nothing of it was written, and the transaction can go on.
    Refused(StoreError),
    /// The database failed: the transaction must not be committed.
    Failed(rusqlite::Error),
}

impl From<rusqlite::Error> for ChangeError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Failed(error)
    }
}

/// The changes of one transaction. The statements of every event and outcome are prepared here, once; the others where
/// they are used.
pub(super) struct Changes<'connection> {
    connection: &'connection Connection,
    insert_event: CachedStatement<'connection>,
    insert_delivery: CachedStatement<'connection>,
    settle_with_first_attempt: CachedStatement<'connection>,
    newest_event: i64,
}

impl<'connection> Changes<'connection> {
    pub(super) fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            connection,
            insert_event: connection.prepare_cached(accept::INSERT_EVENT)?,
            insert_delivery: connection.prepare_cached(accept::INSERT_DELIVERY)?,
            settle_with_first_attempt: connection.prepare_cached(SETTLE_WITH_FIRST_ATTEMPT)?,
            newest_event: 0,
        })
    }

    /// The connection, inside the transaction.
    pub(super) fn connection(&self) -> &'connection Connection {
        self.connection
    }

    /// The number of the newest event that was inserted, 0 if none was.
    pub(super) fn newest_event(&self) -> i64 {
        self.newest_event
    }

    /// Carries out `change`; if it fails, nothing of it stays and the transaction can go on.
    pub(super) fn apart<E: From<rusqlite::Error>>(
        &mut self,
        change: impl FnOnce(&mut Self) -> Result<(), E>,
    ) -> Result<(), E> {
        let newest_event = self.newest_event;
        self.connection.execute_batch("SAVEPOINT apart")?;
        let changed = change(self);
        if changed.is_ok() {
            self.connection.execute_batch("RELEASE apart")?;
        } else {
            self.connection.execute_batch("ROLLBACK TO apart; RELEASE apart")?;
            // The next event takes the number.
            self.newest_event = newest_event;
        }
        changed
    }

    /// Writes what became of deliveries: all of `changes`, or none if one of them names no delivery.
    pub(super) fn record(&mut self, changes: &[DeliveryChange]) -> Result<(), ChangeError> {
        // A single one writes either everything or nothing by itself.
        if changes.len() > 1 {
            let mut exists = self.connection.prepare_cached(DELIVERY_EXISTS)?;
            for change in changes {
                if !exists.exists([change.id.get()])? {
                    return Err(unknown(change.id));
                }
            }
        }
        changes.iter().try_for_each(|change| self.record_one(change))
    }

    fn record_one(&mut self, change: &DeliveryChange) -> Result<(), ChangeError> {
        let Some(attempt) = &change.attempt else {
            let mut settle = self.connection.prepare_cached(SETTLE)?;
            let done = settle.execute(params![
                change.id.get(),
                change.state.as_str(),
                change.attempts,
                change.due.map(|due| due.as_unix_ms()),
                finished_at(change),
            ])?;
            return if done == 0 { Err(unknown(change.id)) } else { Ok(()) };
        };
        // Most deliveries go through at the first attempt: then this statement is all. An earlier attempt that did not
        // count is noticed by the statement itself.
        let may_be_first = change.attempts.is_none_or(|attempts| attempts <= 1);
        if may_be_first && settle_with(&mut self.settle_with_first_attempt, change, attempt)? > 0 {
            return Ok(());
        }
        let last: Option<i64> = self
            .connection
            .prepare_cached(LAST_ATTEMPT)?
            .query_row([change.id.get()], |row| row.get(0))
            .optional()?;
        let Some(last) = last else { return Err(unknown(change.id)) };
        if last > 0 {
            self.connection.prepare_cached(MOVE_ATTEMPT)?.execute([change.id.get()])?;
        }
        settle_with(&mut self.connection.prepare_cached(SETTLE_WITH_ATTEMPT)?, change, attempt)?;
        if last >= ATTEMPTS_KEPT_MAX {
            let mut delete = self.connection.prepare_cached(DELETE_ATTEMPT)?;
            delete.execute([change.id.get(), last + 1 - ATTEMPTS_KEPT_MAX])?;
        }
        Ok(())
    }

    /// Keeps or forgets a person's pause. Gives the one before.
    pub(super) fn set_pause(
        &mut self,
        destination: &str,
        pause: Option<&Pause>,
    ) -> rusqlite::Result<Option<Pause>> {
        let before = self
            .connection
            .prepare_cached(PAUSE)?
            .query_row([destination], |row| {
                Ok(Pause { at: Timestamp::from_unix_ms(row.get(0)?), by: row.get(1)? })
            })
            .optional()?;
        match pause {
            Some(Pause { at, by }) => {
                let mut set = self.connection.prepare_cached(SET_PAUSE)?;
                set.execute(params![destination, at.as_unix_ms(), by])?;
            }
            None => {
                self.connection.prepare_cached(CLEAR_PAUSE)?.execute([destination])?;
            }
        }
        Ok(before)
    }
}

/// Updates a delivery with its newest attempt, and says how many rows that were.
fn settle_with(
    statement: &mut CachedStatement<'_>,
    change: &DeliveryChange,
    attempt: &AttemptRecord,
) -> rusqlite::Result<usize> {
    let outcome = &attempt.outcome;
    statement.execute(params![
        change.id.get(),
        change.state.as_str(),
        change.attempts,
        change.due.map(|due| due.as_unix_ms()),
        finished_at(change),
        attempt.started_at.as_unix_ms(),
        attempt.finished_at.as_unix_ms(),
        outcome.kind.as_str(),
        outcome.retry_after.map(milliseconds),
        outcome.code,
        outcome.message,
        outcome.record_json,
    ])
}

fn finished_at(change: &DeliveryChange) -> Option<i64> {
    change.state.is_final().then_some(change.at.as_unix_ms())
}

fn unknown(delivery: DeliveryId) -> ChangeError {
    ChangeError::Refused(StoreError::UnknownDelivery { delivery })
}

/// The highest numbers ever given, of rows that are gone too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Highest {
    pub(super) delivery: Option<DeliveryId>,
    /// 0 if there was none.
    pub(super) event: i64,
}

impl Highest {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1 AND seq > 0";
        let of = |table| connection.query_row(sql, [table], |row| row.get(0)).optional();
        Ok(Self { delivery: of("delivery")?.map(DeliveryId::new), event: of("event")?.unwrap_or(0) })
    }
}
