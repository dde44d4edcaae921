//! Lists that are followed.

use postroom_openapi::{
    deliveries::{Delivery, DeliveryFilter},
    events::{Event, EventFilter},
    page::{Follow, FollowFrom, Followed},
    port::{Follows, ReadError},
};
use postroom_store::{self as store, StoreError};

use super::{
    Api, delivery_filter,
    errors::{no_such_kind, unreadable},
    wire,
};

impl Follows for Api {
    async fn follow_events(&self, filter: EventFilter, follow: Follow) -> Result<Followed<Event>, ReadError> {
        let filter = wire::event_filter(filter).map_err(no_such_kind)?;
        let (from, limit) = asked(&follow)?;
        let found = self.0.store.events_from(filter, from, limit).await.map_err(unfollowed)?;
        Ok(followed(found, |record| wire::event(record, wire::Depth::Listed)))
    }

    async fn follow_deliveries(
        &self,
        filter: DeliveryFilter,
        replay_id: Option<String>,
        follow: Follow,
    ) -> Result<Followed<Delivery>, ReadError> {
        let (from, limit) = asked(&follow)?;
        let Some(filter) = delivery_filter(filter, replay_id.as_deref())? else {
            // Nothing can come either, so any place will do.
            let after = match follow.from {
                FollowFrom::After(place) => place,
                FollowFrom::Oldest | FollowFrom::Newest => "0".to_owned(),
            };
            return Ok(Followed { items: Vec::new(), after, is_more: false });
        };
        let found = self.0.store.deliveries_from(filter, from, limit).await.map_err(unfollowed)?;
        Ok(followed(found, |record| wire::delivery(record, None)))
    }
}

fn asked(follow: &Follow) -> Result<(store::FollowFrom, usize), ReadError> {
    let from = match &follow.from {
        FollowFrom::Oldest => store::FollowFrom::After(0),
        FollowFrom::Newest => store::FollowFrom::Now,
        FollowFrom::After(place) => {
            store::FollowFrom::After(place.parse().map_err(|_| no_place("not a place in this list"))?)
        }
    };
    Ok((from, usize::try_from(follow.limit).unwrap_or(usize::MAX)))
}

/// Whoever asked from beyond the end would be told nothing for long, and then miss what came meanwhile.
fn unfollowed(error: StoreError) -> ReadError {
    match error {
        StoreError::UnknownPlace { .. } => no_place(
            "not a place in this list, but maybe in that of a database before a backup of it was restored; begin with \
             `oldest` or `newest`",
        ),
        error => unreadable(error),
    }
}

fn no_place(reason: &str) -> ReadError {
    ReadError::BadParameter { name: "after", reason: reason.to_owned() }
}

fn followed<T, U>(found: store::Followed<T>, convert: impl Fn(T) -> U) -> Followed<U> {
    Followed {
        items: found.items.into_iter().map(convert).collect(),
        after: found.last.to_string(),
        is_more: found.is_more,
    }
}
