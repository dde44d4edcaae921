//! When the deliveries of each run of numbers were made, so that a search by time reads only the runs it must.

use postroom_core::{id::DeliveryId, time::Timestamp};
use rusqlite::params;

use super::Changes;
use crate::sqlite::pick::SPAN_DELIVERIES;

const WIDEN_SPAN: &str = "
    INSERT INTO delivery_span (span, oldest, newest) VALUES (?1, ?2, ?3)
    ON CONFLICT (span) DO UPDATE SET oldest = min(oldest, excluded.oldest), newest = max(newest, excluded.newest)";

/// The run of numbers that is growing, and when this transaction's part of it was made.
#[derive(Clone)]
pub(super) struct Span {
    number: i64,
    oldest: Timestamp,
    newest: Timestamp,
}

impl Changes<'_> {
    /// Notes that a delivery was made. Written once per transaction and run, not per delivery.
    pub(super) fn note_made(&mut self, id: DeliveryId, at: Timestamp) -> rusqlite::Result<()> {
        let number = id.get() / SPAN_DELIVERIES;
        if self.span.as_ref().is_some_and(|span| span.number != number) {
            self.write_span()?;
        }
        let span = self.span.get_or_insert(Span { number, oldest: at, newest: at });
        span.oldest = span.oldest.min(at);
        span.newest = span.newest.max(at);
        Ok(())
    }

    pub(super) fn write_span(&mut self) -> rusqlite::Result<()> {
        let Some(Span { number, oldest, newest }) = self.span.take() else { return Ok(()) };
        let mut widen = self.connection.prepare_cached(WIDEN_SPAN)?;
        widen.execute(params![number, oldest.as_unix_ms(), newest.as_unix_ms()])?;
        Ok(())
    }
}
