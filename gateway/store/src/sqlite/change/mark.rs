//! Idempotency marks: what was sent under which key.

use postroom_core::{event::Event, id::DeliveryId};
use rusqlite::params;

use super::{ChangeError, Changes};
use crate::{
    records::{Accepted, Mark},
    sqlite::{reader::ReadError, row::Columns},
};

const MARK: &str = "
    SELECT 0, body_sha256, event, kind, first_delivery, deliveries FROM mark WHERE source = ?1 AND key = ?2";
const INSERT_MARK: &str = "
    INSERT OR REPLACE INTO mark (source, key, body_sha256, event, kind, first_delivery, deliveries, at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

#[cfg(test)]
pub(super) const QUERIES: [&str; 1] = [MARK];

/// What an idempotency key says about an event.
pub(super) enum Seen {
    Never,
    Repeated(Accepted),
    WithAnotherBody,
}

impl Changes<'_> {
    /// Looks whether something was sent under the mark's key before.
    pub(super) fn seen(&mut self, source: &str, mark: &Mark) -> Result<Seen, ChangeError> {
        let mut statement = self.connection.prepare_cached(MARK)?;
        let mut rows = statement.query([source, mark.key.as_str()])?;
        let Some(row) = rows.next()? else { return Ok(Seen::Never) };
        let read = || -> Result<Seen, ReadError> {
            let mut columns = Columns::of("mark", row)?;
            if columns.take::<[u8; 32]>()? != mark.body_sha256 {
                return Ok(Seen::WithAnotherBody);
            }
            let event = columns.event_id()?;
            let kind = columns.name()?;
            let first: i64 = columns.take()?;
            let count: u16 = columns.take()?;
            let deliveries = (first..).take(count.into()).map(DeliveryId::new).collect();
            Ok(Seen::Repeated(Accepted { event, kind, deliveries, repeated: true }))
        };
        match read() {
            Ok(seen) => Ok(seen),
            Err(ReadError::Sqlite(error)) => Err(ChangeError::Failed(error)),
            // Better an event twice than none.
            Err(error) => {
                tracing::error!(?error, source, "an idempotency mark cannot be read, it is written anew");
                Ok(Seen::Never)
            }
        }
    }

    /// Keeps what was sent under the mark's key.
    pub(super) fn insert_mark(
        &mut self,
        event: &Event,
        mark: &Mark,
        deliveries: &[DeliveryId],
    ) -> rusqlite::Result<()> {
        let count = i64::try_from(deliveries.len()).expect("an event has few deliveries");
        let mut insert = self.connection.prepare_cached(INSERT_MARK)?;
        insert.execute(params![
            event.source.as_str(),
            mark.key,
            mark.body_sha256,
            event.id.as_bytes(),
            event.kind.as_str(),
            deliveries.first().map_or(0, |first| first.get()),
            count,
            event.received_at.as_unix_ms(),
        ])?;
        Ok(())
    }
}
