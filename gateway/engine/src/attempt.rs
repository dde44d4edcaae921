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
use postroom_host::{Delivered, PluginBody, PluginDelivery};
use postroom_store::{Body, Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::{Clock, Destination};

/// What the commit feed brought along, if it is still at hand.
pub(crate) type Warm = (Arc<Event>, Option<Bytes>);

/// How an attempt came to its end.
#[derive(Debug)]
pub(crate) enum End {
    /// The plugin had the delivery, or would not take it.
    Delivered(Delivered),
    /// The event could not be read just now.
    Unread(StoreError),
    /// The event cannot be had: the plugin never saw it, so this says nothing about the destination.
    Lost(Outcome),
}

/// Makes an attempt. A fault in it is an outcome too: the lane must go on.
pub(crate) async fn run(
    store: Arc<dyn Store>,
    clock: &Clock,
    destination: &Destination,
    ticket: &Ticket,
    warm: Option<Warm>,
    cancel: CancellationToken,
) -> End {
    let attempt = AssertUnwindSafe(make(&*store, clock, destination, ticket, warm, cancel));
    attempt.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(delivery = %ticket.id, "an attempt ended by a fault of the gateway");
        let outcome = Outcome::retry("gateway_fault", "the gateway failed while it made the attempt");
        End::Delivered(Delivered::Outcome(outcome))
    })
}

async fn make(
    store: &dyn Store,
    clock: &Clock,
    destination: &Destination,
    ticket: &Ticket,
    warm: Option<Warm>,
    cancel: CancellationToken,
) -> End {
    let (event, body) = match fetch(store, ticket, warm).await {
        Ok(Some(found)) => found,
        Ok(None) => return lost("event_missing", format!("the store has no event {}", ticket.event)),
        // Trying again brings nothing back, and would hold up the lane for ever.
        Err(error @ StoreError::Corrupt { .. }) => {
            return lost("event_unreadable", Chain(&error).to_string());
        }
        Err(error) => return End::Unread(error),
    };
    if cancel.is_cancelled() {
        // The plugin never hears of it.
        return End::Delivered(Delivered::NotAccepted);
    }
    let delivery = PluginDelivery {
        event,
        body,
        attempt: ticket.attempts.saturating_add(1),
        deadline: clock.now().plus(destination.attempt_max),
        time_limit: destination.attempt_max,
        time_limit_max: destination.extend_max,
        cancel,
    };
    End::Delivered(destination.deliver.deliver(delivery).await)
}

fn lost(code: &str, message: String) -> End {
    End::Lost(Outcome { code: code.to_owned(), message, ..Outcome::of(OutcomeKind::Permanent) })
}

async fn fetch(
    store: &dyn Store,
    ticket: &Ticket,
    warm: Option<Warm>,
) -> Result<Option<(Arc<Event>, PluginBody)>, StoreError> {
    match warm {
        Some((event, Some(body))) => Ok(Some((event, PluginBody::Bytes(body)))),
        Some((event, None)) => Ok(store.body(ticket.event).await?.map(|body| (event, plugin_body(body)))),
        None => {
            // Side by side: a backlog is read this way, one event after the other.
            let (record, body) = tokio::try_join!(store.event(ticket.event), store.body(ticket.event))?;
            Ok(record.zip(body).map(|(record, body)| (Arc::new(record.event), plugin_body(body))))
        }
    }
}

/// A body that lies in a file goes on as that file: it is never held whole.
fn plugin_body(body: Body) -> PluginBody {
    match body {
        Body::Inline(bytes) => PluginBody::Bytes(bytes),
        Body::File(body) => PluginBody::File { file: body.file, bytes: body.bytes },
    }
}
