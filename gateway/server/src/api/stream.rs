//! What happens, told to those who follow it.
//!
//! One task, the reporter, looks at what has become durable and writes it into a journal in memory. Readers read the
//! journal at their own pace; it is bounded, and whoever falls behind it is told so. Nobody waits for a reader: neither the
//! intake nor the dispatcher nor the reporter. While nobody follows, nothing is written. Why it is made like this:
//! `docs/design/0015-stream.md`.

mod destinations;
mod journal;
mod log;
mod places;
mod position;
mod reader;
mod reporter;

use std::{sync::Arc, time::Duration};

use postroom_core::time::Timestamp;
use postroom_engine::Handle;
use postroom_openapi::{
    auth::Caller,
    port::{FollowError, Streams},
    stream::Wanted,
};
use postroom_store::Store;
use tokio_util::sync::CancellationToken;

use self::{destinations::Look, reporter::Reporter};
use self::{
    journal::{Bounds, Journal, Marks},
    log::{EventLog, Log as _},
    reader::Reader,
};
use super::{Api, Destinations};

/// Readers at once. Each may hold some hundred kilobytes that it does not take.
const READERS_MAX: usize = 256;
/// Of them with one key.
const OF_ONE_KEY_MAX: usize = 64;
/// When one reader too many should come again.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Where those who follow are told, and what it is told from.
#[derive(Debug, Clone)]
pub(crate) struct Stream {
    journal: Arc<Journal>,
    log: EventLog,
    engine: Arc<Handle>,
}

impl Stream {
    /// `started_at` tells the positions of this life of the gateway from those of others.
    pub(crate) fn new(store: &Arc<dyn Store>, engine: &Arc<Handle>, started_at: Timestamp) -> Self {
        let bounds = Bounds { readers: READERS_MAX, of_one_key: OF_ONE_KEY_MAX, ..Bounds::default() };
        Self {
            journal: Arc::new(Journal::new(started_at.as_unix_ms(), bounds)),
            log: EventLog::new(Arc::clone(store)),
            engine: Arc::clone(engine),
        }
    }

    /// The task that tells what happens; it ends with [`Stream::end`].
    pub(crate) fn reporter(&self, store: &Arc<dyn Store>, destinations: &Arc<Destinations>) -> Reporter {
        let look = Look::new(Arc::clone(store), Arc::clone(&self.engine), Arc::clone(destinations));
        Reporter::new(Arc::clone(&self.journal), Arc::clone(store), &self.engine, look)
    }

    /// Has every reader ask whether its key is still one.
    pub(crate) fn keys_changed(&self) {
        self.journal.keys_changed();
    }

    /// Ends what every reader reads.
    pub(crate) fn end(&self) {
        self.journal.stopping().cancel();
    }

    fn marks(&self) -> Marks {
        // Before the marks: what changes from here on is noted.
        self.engine.changed().listen();
        Marks {
            event: self.log.end(),
            delivery: self.engine.newest_delivery().borrow().map_or(0, |delivery| delivery.get()),
        }
    }
}

impl Streams for Api {
    type Reader = Reader<EventLog>;

    async fn follow(
        &self,
        wanted: Wanted,
        after: Option<String>,
        by: &Caller,
    ) -> Result<Self::Reader, FollowError> {
        let stream = &self.0.stream;
        if let Some(why) = stream.journal.ended() {
            return Err(why);
        }
        let place = stream.journal.place(&by.name).ok_or(FollowError::Full { retry_after: RETRY_AFTER })?;
        stream.journal.wake(|| stream.marks());
        let journal = Arc::clone(&stream.journal);
        Ok(Reader::begin(journal, place, stream.log.clone(), wanted, after.as_deref()))
    }
}

/// Ends with the gateway.
type Stopping = CancellationToken;
