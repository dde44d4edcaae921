//! Takes an event in: its mark, its row, its deliveries.

use std::sync::Arc;

use bytes::Bytes;
use postroom_core::{
    classify,
    event::{Event, Verdict},
    id::{DeliveryId, DestinationName, RouteName},
    lane::{LaneKey, Ticket},
    route::{Explanation, Target},
    time::Timestamp,
};
use rusqlite::{ffi, params};

use super::{
    ChangeError, Changes,
    mark::Seen,
    prune::{DELETE_BLOB, LEAVE_BLOB},
};
use crate::{
    error::StoreError,
    records::{Accepted, FreshDelivery, Mark},
    sqlite::{
        bodies::StoredBody,
        deliveries::due_or_at_once,
        row::{explanations_json, facts_json, labels_json},
    },
};

pub(super) const INSERT_EVENT: &str = "
    INSERT INTO event (id, received_at, source, kind, subject, ordering_key, verdict, classifier, facts, note, labels,
                       explanations, content_type, body_bytes, blob, body, hops)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";
pub(super) const INSERT_DELIVERY: &str = "
    INSERT INTO delivery (event, destination, route, lane, state, created_at, replay_of, replay)
    VALUES (?1, ?2, ?3, ?4, 'pending', ?5, ?6, ?7)";
const NAME_BLOB: &str = "
    INSERT INTO blob (sha256, bytes, events) VALUES (?1, ?2, 1)
    ON CONFLICT (sha256) DO UPDATE SET events = events + 1";
const TAKE_BACK_EVENT: &str = "DELETE FROM event WHERE id = ?1";
const TAKE_BACK_MARK: &str = "DELETE FROM mark WHERE source = ?1 AND key = ?2 AND event = ?3";

#[cfg(test)]
pub(super) const QUERIES: [&str; 2] = [TAKE_BACK_EVENT, TAKE_BACK_MARK];

/// What people read in an event's note.
const KEY_USED_BEFORE: &str = "idempotency key was used before for another body";

/// An event ready to be written: everything that takes time is done before the writer sees it.
#[derive(Debug)]
pub(in crate::sqlite) struct EventRow {
    event: Arc<Event>,
    body: StoredBody,
    /// Counted here: a large body is only given back if it has this length.
    body_bytes: i64,
    targets: Vec<Target>,
    mark: Option<Mark>,
    facts: String,
    labels: String,
    explanations: String,
}

impl EventRow {
    pub(in crate::sqlite) fn new(
        event: Arc<Event>,
        body: StoredBody,
        targets: Vec<Target>,
        explanations: &[Explanation],
        mark: Option<Mark>,
    ) -> Self {
        Self {
            facts: facts_json(&event.facts),
            labels: labels_json(&event.labels),
            explanations: explanations_json(told(explanations, &targets)),
            body_bytes: i64::try_from(body.bytes()).expect("no body has 2^63 bytes"),
            event,
            body,
            targets,
            mark,
        }
    }

    /// Says that the row is durable.
    pub(in crate::sqlite) fn settle(&self) {
        self.body.settle();
    }

    fn inline(&self) -> Option<&Bytes> {
        match &self.body {
            StoredBody::Inline(body) => Some(body),
            StoredBody::File(_) => None,
        }
    }

    fn sha256(&self) -> Option<[u8; 32]> {
        match &self.body {
            StoredBody::Inline(_) => None,
            StoredBody::File(body) => Some(body.sha256()),
        }
    }
}

/// The explanations that are kept. Why routes did not match is asked of events that went nowhere; of the others it
/// would often take more room than the body.
fn told<'a>(explanations: &'a [Explanation], targets: &[Target]) -> impl Iterator<Item = &'a Explanation> {
    let went_nowhere = targets.is_empty();
    explanations.iter().filter(move |explanation| went_nowhere || explanation.matched)
}

/// A delivery to insert.
pub(super) struct NewDelivery<'a> {
    pub(super) event: &'a Arc<Event>,
    pub(super) destination: &'a DestinationName,
    pub(super) route: &'a RouteName,
    pub(super) lane: &'a Arc<str>,
    pub(super) at: Timestamp,
    pub(super) replay_of: Option<i64>,
    pub(super) replay: Option<i64>,
}

impl Changes<'_> {
    /// Inserts an event and its deliveries, which are added to `fresh`; or finds the event that it repeats.
    pub(in crate::sqlite) fn accept(
        &mut self,
        row: &EventRow,
        fresh: &mut Vec<FreshDelivery>,
    ) -> Result<Accepted, ChangeError> {
        let mut event = Arc::clone(&row.event);
        let mut new_mark = row.mark.as_ref();
        if let Some(mark) = new_mark {
            match self.seen(event.source.as_str(), mark)? {
                Seen::Never => {}
                Seen::Repeated(first) => return Ok(first),
                Seen::WithAnotherBody => {
                    new_mark = None;
                    let note = &mut Arc::make_mut(&mut event).note;
                    *note = Some(match note.take() {
                        Some(note) => format!("{note}; {KEY_USED_BEFORE}"),
                        None => KEY_USED_BEFORE.to_owned(),
                    });
                }
            }
        }
        self.insert_event(&event, row)?;
        let mut deliveries = Vec::with_capacity(row.targets.len());
        for target in &row.targets {
            let made = self.insert_delivery(&NewDelivery {
                event: &event,
                destination: &target.destination,
                route: &target.route,
                lane: &event.ordering_key,
                at: event.received_at,
                replay_of: None,
                replay: None,
            })?;
            deliveries.push(made.ticket.id);
            fresh.push(FreshDelivery { body: row.inline().cloned(), ..made });
        }
        let accepted = Accepted { event: event.id, kind: event.kind, deliveries, repeated: false };
        if let Some(mark) = new_mark {
            self.insert_mark(&event, mark, &accepted.deliveries)?;
        }
        Ok(accepted)
    }

    /// Removes what [`accept`](Self::accept) has written of an event whose sender was then told that it was not kept.
    /// The file of a large body stays; it is found when no event names it.
    pub(in crate::sqlite) fn take_back(&mut self, row: &EventRow) -> rusqlite::Result<()> {
        let event = &row.event;
        if self.connection.execute(TAKE_BACK_EVENT, [event.id.as_bytes()])? == 0 {
            return Ok(());
        }
        if let Some(blob) = row.sha256() {
            self.connection.execute(LEAVE_BLOB, [blob])?;
            self.connection.execute(DELETE_BLOB, [blob])?;
        }
        if let Some(mark) = &row.mark {
            // A mark that stays would answer a repeat with an event that is not there.
            let wanted = params![event.source.as_str(), mark.key, event.id.as_bytes()];
            self.connection.execute(TAKE_BACK_MARK, wanted)?;
        }
        Ok(())
    }

    fn insert_event(&mut self, event: &Event, row: &EventRow) -> Result<(), ChangeError> {
        let blob = row.sha256();
        let inserted = self.insert_event.insert(params![
            event.id.as_bytes(),
            event.received_at.as_unix_ms(),
            event.source.as_str(),
            event.kind.as_str(),
            event.subject,
            &*event.ordering_key,
            event.verdict.map(Verdict::as_str),
            classify::VERSION,
            row.facts,
            event.note,
            row.labels,
            row.explanations,
            event.content_type,
            row.body_bytes,
            blob,
            row.inline().map(|body| &body[..]),
            event.hops,
        ]);
        match inserted {
            Ok(seq) => self.newest_event = seq,
            Err(error) if is_duplicate(&error) => {
                return Err(ChangeError::Refused(StoreError::Duplicate { event: event.id }));
            }
            Err(error) => return Err(ChangeError::Failed(error)),
        }
        if let Some(blob) = blob {
            self.connection.prepare_cached(NAME_BLOB)?.execute(params![blob, row.body_bytes])?;
        }
        Ok(())
    }

    /// Inserts a waiting delivery and gives it as the feed tells of it, without a body.
    pub(super) fn insert_delivery(&mut self, new: &NewDelivery<'_>) -> rusqlite::Result<FreshDelivery> {
        let id = DeliveryId::new(self.insert_delivery.insert(params![
            new.event.id.as_bytes(),
            new.destination.as_str(),
            new.route.as_str(),
            &**new.lane,
            new.at.as_unix_ms(),
            new.replay_of,
            new.replay,
        ])?);
        let lane = LaneKey { destination: new.destination.clone(), key: Arc::clone(new.lane) };
        let (event, due, repeats) = (new.event.id, due_or_at_once(None), new.replay_of.is_some());
        let ticket = Ticket { id, event, lane, attempts: 0, due, repeats };
        Ok(FreshDelivery { ticket, event: Arc::clone(new.event), body: None })
    }
}

/// The event table has no other UNIQUE constraint than that on the id.
fn is_duplicate(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CONSTRAINT_UNIQUE)
}
