//! The lists of the fake, followed.

use super::{Fake, samples};
use crate::{
    deliveries::{Delivery, DeliveryFilter},
    events::{Event, EventFilter},
    page::{Follow, FollowFrom, Followed},
    port::{Follows, ReadError},
};

impl Fake {
    /// Parts of `count` things numbered from the oldest, which has the number 1.
    fn follow<T>(&self, follow: &Follow, make: impl Fn(usize) -> T) -> Result<Followed<T>, ReadError> {
        let after = match &follow.from {
            FollowFrom::Oldest => 0,
            FollowFrom::Newest => self.0.count,
            FollowFrom::After(place) => place.parse().map_err(|_| ReadError::BadParameter {
                name: "after",
                reason: "not a place in this list".to_owned(),
            })?,
        };
        let numbers: Vec<usize> = (after + 1..=self.0.count).take(follow.limit as usize).collect();
        let last = numbers.last().copied().unwrap_or(after);
        let items = numbers.into_iter().map(make).collect();
        Ok(Followed { items, after: last.to_string(), is_more: last < self.0.count })
    }
}

impl Follows for Fake {
    async fn follow_events(&self, filter: EventFilter, follow: Follow) -> Result<Followed<Event>, ReadError> {
        self.remember(format!("{filter:?} {follow:?}"));
        self.follow(&follow, |number| Event { deliveries: None, routes: None, ..samples::event(number) })
    }

    async fn follow_deliveries(
        &self,
        filter: DeliveryFilter,
        replay_id: Option<String>,
        follow: Follow,
    ) -> Result<Followed<Delivery>, ReadError> {
        self.remember(format!("{filter:?} {replay_id:?} {follow:?}"));
        self.follow(&follow, |number| Delivery { attempts: None, ..samples::delivery(number) })
    }
}
