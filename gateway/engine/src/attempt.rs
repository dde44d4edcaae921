//! One attempt: bring event and body together, hand them over, see how it ends.

use std::{panic::AssertUnwindSafe, sync::Arc};

use bytes::Bytes;
use futures_util::FutureExt as _;
use postroom_core::{
    chain::Chain,
    event::Event,
    lane::Ticket,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::{Delivered, PluginDelivery};
use postroom_store::{Store, StoreError};

use crate::{Clock, Destination};

/// What the commit feed brought along, if it is still at hand.
pub(crate) type Warm = (Arc<Event>, Option<Bytes>);

/// Makes an attempt. A fault in it is an outcome too: the lane must go on.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    clock: Clock,
    destination: Destination,
    ticket: Ticket,
    warm: Option<Warm>,
) -> Delivered {
    let attempt = AssertUnwindSafe(make(store, clock, destination, &ticket, warm));
    attempt.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(delivery = %ticket.id, "an attempt ended by a fault of the gateway");
        Delivered::Outcome(Outcome::retry("gateway_fault", "the gateway failed while it made the attempt"))
    })
}

async fn make(
    store: Arc<dyn Store>,
    clock: Clock,
    destination: Destination,
    ticket: &Ticket,
    warm: Option<Warm>,
) -> Delivered {
    let (event, body) = match fetch(&*store, ticket, warm).await {
        Ok(Some(found)) => found,
        Ok(None) => {
            return Delivered::Outcome(Outcome {
                code: "event_missing".to_owned(),
                message: format!("the store has no event {}", ticket.event),
                ..Outcome::of(OutcomeKind::Permanent)
            });
        }
        Err(error @ StoreError::Corrupt { .. }) => {
            // Trying again brings nothing back, and would hold up the lane for ever.
            return Delivered::Outcome(Outcome {
                code: "event_unreadable".to_owned(),
                message: Chain(&error).to_string(),
                ..Outcome::of(OutcomeKind::Permanent)
            });
        }
        Err(error) => {
            tracing::error!(delivery = %ticket.id, event = %ticket.event, error = %Chain(&error), "event could not be read, will be tried again");
            return Delivered::NotAccepted;
        }
    };
    let delivery = PluginDelivery {
        event,
        body,
        attempt: ticket.attempts.saturating_add(1),
        deadline: clock.now().plus(destination.attempt_max),
        time_limit: destination.attempt_max,
    };
    destination.deliver.deliver(delivery).await
}

async fn fetch(
    store: &dyn Store,
    ticket: &Ticket,
    warm: Option<Warm>,
) -> Result<Option<(Arc<Event>, Bytes)>, StoreError> {
    let (event, body) = match warm {
        Some((event, body)) => (event, body),
        None => match store.event(ticket.event).await? {
            Some(record) => (Arc::new(record.event), None),
            None => return Ok(None),
        },
    };
    let body = match body {
        Some(body) => Some(body),
        None => store.body(ticket.event).await?,
    };
    Ok(body.map(|body| (event, body)))
}
