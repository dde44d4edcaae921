//! Deliveries once more.

use std::sync::Arc;

use postroom_core::{
    event::Event,
    id::{DeliveryId, DestinationName, ReplayId, RouteName},
    time::Timestamp,
};
use rusqlite::{OptionalExtension, params};

use super::{Changes, accept::NewDelivery};
use crate::{records::FreshDelivery, replays::RetryAnswer};

const STANDING: &str = "SELECT finished_at IS NOT NULL, replayed_by FROM delivery WHERE id = ?1";
const SET_REPLAYED_BY: &str = "UPDATE delivery SET replayed_by = ?2 WHERE id = ?1";
const TAKE_BACK_DELIVERY: &str = "
    DELETE FROM delivery WHERE id = ?1 AND state = 'pending' AND last_attempt = 0 RETURNING replay_of";
const CLEAR_REPLAYED_BY: &str = "UPDATE delivery SET replayed_by = NULL WHERE id = ?1 AND replayed_by = ?2";

#[cfg(test)]
pub(super) const QUERIES: [&str; 4] = [STANDING, SET_REPLAYED_BY, TAKE_BACK_DELIVERY, CLEAR_REPLAYED_BY];

/// A delivery to repeat, as it was read before the transaction. The others of its chain differ in nothing but their id.
#[derive(Debug)]
pub(in crate::sqlite) struct Original {
    pub(in crate::sqlite) id: DeliveryId,
    pub(in crate::sqlite) event: Arc<Event>,
    pub(in crate::sqlite) destination: DestinationName,
    pub(in crate::sqlite) route: RouteName,
    pub(in crate::sqlite) lane: Arc<str>,
}

/// Where a delivery stands in its chain.
struct Standing {
    is_final: bool,
    replayed_by: Option<DeliveryId>,
}

impl Changes<'_> {
    /// Makes a new delivery of the newest one in the chain of `original`, which may have been pruned since it was read.
    pub(in crate::sqlite) fn retry(
        &mut self,
        original: &Original,
        at: Timestamp,
        fresh: &mut Vec<FreshDelivery>,
    ) -> rusqlite::Result<RetryAnswer> {
        let mut newest = original.id;
        let Some(mut standing) = self.standing(newest)? else { return Ok(RetryAnswer::Unknown) };
        // Ids of a chain grow; whatever else a damaged row says is no way on.
        while standing.is_final
            && let Some(next) = standing.replayed_by.filter(|next| *next > newest)
            && let Some(stands) = self.standing(next)?
        {
            (newest, standing) = (next, stands);
        }
        if !standing.is_final {
            return Ok(RetryAnswer::StillWaiting(newest));
        }
        Ok(RetryAnswer::Made(self.repeat(newest, original, None, at, fresh)?))
    }

    /// Makes a new delivery of `original` for a replay, and says whether it did: not when the delivery waits, was repeated
    /// already, or was pruned since it was read.
    pub(in crate::sqlite) fn replay(
        &mut self,
        original: &Original,
        replay: ReplayId,
        at: Timestamp,
        fresh: &mut Vec<FreshDelivery>,
    ) -> rusqlite::Result<bool> {
        match self.standing(original.id)? {
            Some(Standing { is_final: true, replayed_by: None }) => {
                self.repeat(original.id, original, Some(replay), at, fresh)?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn standing(&self, id: DeliveryId) -> rusqlite::Result<Option<Standing>> {
        let mut standing = self.connection.prepare_cached(STANDING)?;
        let read = standing.query_row([id.get()], |row| {
            Ok(Standing {
                is_final: row.get(0)?,
                replayed_by: row.get::<_, Option<i64>>(1)?.map(DeliveryId::new),
            })
        });
        read.optional()
    }

    /// Makes a new delivery of `newest`, which is of the chain of `original`.
    fn repeat(
        &mut self,
        newest: DeliveryId,
        original: &Original,
        replay: Option<ReplayId>,
        at: Timestamp,
        fresh: &mut Vec<FreshDelivery>,
    ) -> rusqlite::Result<DeliveryId> {
        let made = self.insert_delivery(&NewDelivery {
            event: &original.event,
            destination: &original.destination,
            route: &original.route,
            lane: &original.lane,
            at,
            replay_of: Some(newest.get()),
            replay: replay.map(ReplayId::get),
        })?;
        let id = made.ticket.id;
        self.connection.prepare_cached(SET_REPLAYED_BY)?.execute([newest.get(), id.get()])?;
        fresh.push(made);
        Ok(id)
    }

    /// Removes what [`retry`](Self::retry) has made for someone who was then told that it was not kept, unless something
    /// was done with it.
    pub(in crate::sqlite) fn take_back_retry(&mut self, made: &RetryAnswer) -> rusqlite::Result<()> {
        let RetryAnswer::Made(id) = made else { return Ok(()) };
        let mut remove = self.connection.prepare_cached(TAKE_BACK_DELIVERY)?;
        let removed = remove.query_row([id.get()], |row| row.get::<_, Option<i64>>(0)).optional()?;
        if let Some(Some(of)) = removed {
            self.connection.prepare_cached(CLEAR_REPLAYED_BY)?.execute(params![of, id.get()])?;
        }
        Ok(())
    }
}
