//! The statements that change the database, inside a transaction that someone else commits.

use std::sync::Arc;

use bytes::Bytes;
use postroom_core::{
    classify,
    event::{Event, Verdict},
    id::DeliveryId,
    lane::{LaneKey, Ticket},
    route::Target,
};
use rusqlite::{CachedStatement, Connection, OptionalExtension, ffi, named_params, params};

use super::{
    deliveries::due_or_at_once,
    row::{explanations_json, facts_json, labels_json, milliseconds},
};
use crate::{
    blob::BlobName,
    error::StoreError,
    records::{ATTEMPTS_KEPT_MAX, AttemptRecord, DeliveryChange, FreshDelivery, NewEvent},
};

const INSERT_EVENT: &str = "
    INSERT INTO event (id, received_at, source, kind, subject, ordering_key, verdict, classifier, facts, note, labels,
                       explanations, content_type, body_bytes, blob, body)
    VALUES (:id, :received_at, :source, :kind, :subject, :ordering_key, :verdict, :classifier, :facts, :note, :labels,
            :explanations, :content_type, :body_bytes, :blob, :body)";
const INSERT_DELIVERY: &str = "
    INSERT INTO delivery (event, destination, route, lane, state, created_at) VALUES (?1, ?2, ?3, ?4, 'pending', ?5)";
const DELIVERY_EXISTS: &str = "SELECT 1 FROM delivery WHERE id = ?1";
const UPDATE_DELIVERY: &str = "
    UPDATE delivery SET state = ?2, attempts = coalesce(?3, attempts), due = ?4, finished_at = ?5, last_attempt = last_attempt + ?6
    WHERE id = ?1 RETURNING last_attempt";
const INSERT_ATTEMPT: &str = "
    INSERT INTO attempt (delivery, number, started_at, finished_at, outcome, retry_after_ms, code, message, record)
    VALUES (:delivery, :number, :started_at, :finished_at, :outcome, :retry_after_ms, :code, :message, :record)";
const DELETE_ATTEMPT: &str = "DELETE FROM attempt WHERE delivery = ?1 AND number = ?2";

/// Every statement that looks something up, for the test that none of them reads a table from end to end.
#[cfg(test)]
pub(super) const QUERIES: [&str; 3] = [DELIVERY_EXISTS, UPDATE_DELIVERY, DELETE_ATTEMPT];

/// An event ready to be written: everything that takes time is done before the writer sees it.
#[derive(Debug)]
pub(super) struct EventRow {
    event: Arc<Event>,
    body: StoredBody,
    /// Counted here: a large body is only given back if it has this length.
    body_bytes: i64,
    targets: Vec<Target>,
    facts: String,
    labels: String,
    explanations: String,
}

/// Where a body is kept.
#[derive(Debug)]
pub(super) enum StoredBody {
    Inline(Bytes),
    Blob(BlobName),
}

impl EventRow {
    pub(super) fn new(new: NewEvent, body: StoredBody) -> Self {
        Self {
            facts: facts_json(&new.event.facts),
            labels: labels_json(&new.event.labels),
            explanations: explanations_json(&new.explanations),
            body_bytes: i64::try_from(new.body.len()).expect("what lies in memory has fewer than 2^63 bytes"),
            event: new.event,
            body,
            targets: new.targets,
        }
    }
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

/// The prepared statements of one transaction.
pub(super) struct Changes<'connection> {
    insert_event: CachedStatement<'connection>,
    insert_delivery: CachedStatement<'connection>,
    delivery_exists: CachedStatement<'connection>,
    update_delivery: CachedStatement<'connection>,
    insert_attempt: CachedStatement<'connection>,
    delete_attempt: CachedStatement<'connection>,
}

impl<'connection> Changes<'connection> {
    pub(super) fn prepare(connection: &'connection Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            insert_event: connection.prepare_cached(INSERT_EVENT)?,
            insert_delivery: connection.prepare_cached(INSERT_DELIVERY)?,
            delivery_exists: connection.prepare_cached(DELIVERY_EXISTS)?,
            update_delivery: connection.prepare_cached(UPDATE_DELIVERY)?,
            insert_attempt: connection.prepare_cached(INSERT_ATTEMPT)?,
            delete_attempt: connection.prepare_cached(DELETE_ATTEMPT)?,
        })
    }

    /// Inserts an event and its deliveries; these are added to `fresh` and their ids given back.
    pub(super) fn accept(
        &mut self,
        row: &EventRow,
        fresh: &mut Vec<FreshDelivery>,
    ) -> Result<Vec<DeliveryId>, ChangeError> {
        self.insert_event(row)?;
        let event = &row.event;
        let body = match &row.body {
            StoredBody::Inline(body) => Some(body),
            StoredBody::Blob(_) => None,
        };
        let mut ids = Vec::with_capacity(row.targets.len());
        for target in &row.targets {
            let id = DeliveryId::new(self.insert_delivery.insert(params![
                event.id.as_bytes(),
                target.destination.as_str(),
                target.route.as_str(),
                &*event.ordering_key,
                event.received_at.as_unix_ms(),
            ])?);
            ids.push(id);
            let lane =
                LaneKey { destination: target.destination.clone(), key: Arc::clone(&event.ordering_key) };
            let ticket = Ticket { id, event: event.id, lane, attempts: 0, due: due_or_at_once(None) };
            fresh.push(FreshDelivery { ticket, event: Arc::clone(event), body: body.cloned() });
        }
        Ok(ids)
    }

    fn insert_event(&mut self, row: &EventRow) -> Result<(), ChangeError> {
        let event = &row.event;
        let (blob, body) = match &row.body {
            StoredBody::Inline(body) => (None, Some(&body[..])),
            StoredBody::Blob(name) => (Some(name.as_bytes()), None),
        };
        let inserted = self.insert_event.execute(named_params! {
            ":id": event.id.as_bytes(),
            ":received_at": event.received_at.as_unix_ms(),
            ":source": event.source.as_str(),
            ":kind": event.kind.as_str(),
            ":subject": event.subject,
            ":ordering_key": &*event.ordering_key,
            ":verdict": event.verdict.map(Verdict::as_str),
            ":classifier": classify::VERSION,
            ":facts": row.facts,
            ":note": event.note,
            ":labels": row.labels,
            ":explanations": row.explanations,
            ":content_type": event.content_type,
            ":body_bytes": row.body_bytes,
            ":blob": blob,
            ":body": body,
        });
        match inserted {
            Ok(_) => Ok(()),
            Err(error) if is_duplicate(&error) => {
                Err(ChangeError::Refused(StoreError::Duplicate { event: event.id }))
            }
            Err(error) => Err(ChangeError::Failed(error)),
        }
    }

    /// Writes what became of deliveries: all of `changes`, or none if one of them names no delivery.
    pub(super) fn record(&mut self, changes: &[DeliveryChange]) -> Result<(), ChangeError> {
        for change in changes {
            if !self.delivery_exists.exists([change.id.get()])? {
                return Err(ChangeError::Refused(StoreError::UnknownDelivery { delivery: change.id }));
            }
        }
        for change in changes {
            self.record_one(change)?;
        }
        Ok(())
    }

    fn record_one(&mut self, change: &DeliveryChange) -> rusqlite::Result<()> {
        let finished_at = change.state.is_final().then_some(change.at.as_unix_ms());
        let number: i64 = self.update_delivery.query_row(
            params![
                change.id.get(),
                change.state.as_str(),
                change.attempts,
                change.due.map(|due| due.as_unix_ms()),
                finished_at,
                i64::from(change.attempt.is_some()),
            ],
            |row| row.get(0),
        )?;
        let Some(attempt) = &change.attempt else { return Ok(()) };
        self.insert_attempt(change.id, number, attempt)?;
        if number > ATTEMPTS_KEPT_MAX {
            self.delete_attempt.execute(params![change.id.get(), number - ATTEMPTS_KEPT_MAX])?;
        }
        Ok(())
    }

    fn insert_attempt(
        &mut self,
        id: DeliveryId,
        number: i64,
        attempt: &AttemptRecord,
    ) -> rusqlite::Result<()> {
        let outcome = &attempt.outcome;
        self.insert_attempt.execute(named_params! {
            ":delivery": id.get(),
            ":number": number,
            ":started_at": attempt.started_at.as_unix_ms(),
            ":finished_at": attempt.finished_at.as_unix_ms(),
            ":outcome": outcome.kind.as_str(),
            ":retry_after_ms": outcome.retry_after.map(milliseconds),
            ":code": outcome.code,
            ":message": outcome.message,
            ":record": outcome.record_json,
        })?;
        Ok(())
    }
}

/// The highest delivery id ever given, of deliveries that are gone too.
pub(super) fn highest_delivery(connection: &Connection) -> rusqlite::Result<Option<DeliveryId>> {
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = 'delivery' AND seq > 0";
    let highest = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(highest.map(DeliveryId::new))
}

/// The event table has no other UNIQUE constraint than that on the id.
fn is_duplicate(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
}
