//! Deliveries once more.

use std::sync::Arc;

use postroom_core::{
    event::Event,
    id::{DeliveryId, DestinationName, ReplayId, RouteName},
    time::Timestamp,
};
use rusqlite::OptionalExtension;

use super::{Changes, accept::NewDelivery};
use crate::{records::FreshDelivery, replays::RetryAnswer};

const IS_FINAL: &str = "SELECT finished_at IS NOT NULL FROM delivery WHERE id = ?1";
const TAKE_BACK_DELIVERY: &str =
    "DELETE FROM delivery WHERE id = ?1 AND state = 'pending' AND last_attempt = 0";

#[cfg(test)]
pub(super) const QUERIES: [&str; 2] = [IS_FINAL, TAKE_BACK_DELIVERY];

/// A delivery to repeat, as it was read before the transaction.
#[derive(Debug)]
pub(in crate::sqlite) struct Original {
    pub(in crate::sqlite) id: DeliveryId,
    pub(in crate::sqlite) event: Arc<Event>,
    pub(in crate::sqlite) destination: DestinationName,
    pub(in crate::sqlite) route: RouteName,
    pub(in crate::sqlite) lane: Arc<str>,
}

impl Changes<'_> {
    /// Makes a new delivery of `original`, which may have been pruned since it was read.
    pub(in crate::sqlite) fn again(
        &mut self,
        original: &Original,
        replay: Option<ReplayId>,
        at: Timestamp,
        fresh: &mut Vec<FreshDelivery>,
    ) -> rusqlite::Result<RetryAnswer> {
        let mut is_final = self.connection.prepare_cached(IS_FINAL)?;
        match is_final.query_row([original.id.get()], |row| row.get(0)).optional()? {
            None => return Ok(RetryAnswer::Unknown),
            Some(false) => return Ok(RetryAnswer::StillWaiting),
            Some(true) => {}
        }
        let made = self.insert_delivery(&NewDelivery {
            event: &original.event,
            destination: &original.destination,
            route: &original.route,
            lane: &original.lane,
            at,
            replay_of: Some(original.id.get()),
            replay: replay.map(ReplayId::get),
        })?;
        let id = made.ticket.id;
        fresh.push(made);
        Ok(RetryAnswer::Made(id))
    }

    /// Removes what [`again`](Self::again) has made for someone who was then told that it was not kept, unless
    /// something was done with it.
    pub(in crate::sqlite) fn take_back_again(&mut self, made: &RetryAnswer) -> rusqlite::Result<()> {
        if let RetryAnswer::Made(id) = made {
            self.connection.execute(TAKE_BACK_DELIVERY, [id.get()])?;
        }
        Ok(())
    }
}
