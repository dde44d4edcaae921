//! The one thread that writes. It commits whatever has gathered while the last commit went to disk, so that one fsync
//! serves everyone who waits.

use std::{path::Path, sync::Arc, thread};

use postroom_core::{chain::Chain, id::DeliveryId, limits};
use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    change::{ChangeError, Changes, EventRow},
    checkpoint::Checkpoints,
    migrate,
};
use crate::{
    error::StoreError,
    records::{Committed, DeliveryChange, FreshDelivery},
};

/// Bodies that one commit hands to the feed; those beyond are read from the store when their turn comes. With it a
/// full feed holds no more than [`limits::WARM_BODY_BYTES_MAX`].
fn feed_body_bytes_max(feed_commits_max: usize) -> usize {
    limits::WARM_BODY_BYTES_MAX / feed_commits_max.max(1)
}

/// The deliveries that a request made; none for anything but an accepted event.
type Answer = Result<Vec<DeliveryId>, StoreError>;

/// Something to write, and who waits for it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) work: Work,
    pub(super) answer: oneshot::Sender<Answer>,
}

/// What to write.
#[derive(Debug)]
pub(super) enum Work {
    Accept(Box<EventRow>),
    Record(Vec<DeliveryChange>),
    /// Find out whether a write would go through.
    Check,
    /// Take nothing more, finish what is queued, then end.
    Close,
}

/// What the writer works with.
#[derive(Debug)]
pub(super) struct Writer {
    connection: Connection,
    path: Arc<Path>,
    feed: mpsc::Sender<Committed>,
    feed_body_bytes_max: usize,
    highest: watch::Sender<Option<DeliveryId>>,
    checkpoints: Checkpoints,
    /// Whether the last commit failed, so that a full disk is logged once and not a thousand times a second.
    failing: bool,
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        path: Arc<Path>,
        feed: mpsc::Sender<Committed>,
        highest: watch::Sender<Option<DeliveryId>>,
    ) -> Self {
        Self {
            connection,
            path,
            feed_body_bytes_max: feed_body_bytes_max(feed.max_capacity()),
            feed,
            highest,
            checkpoints: Checkpoints::default(),
            failing: false,
        }
    }

    /// Starts the thread. It ends when it is told to close or every sender is gone.
    pub(super) fn start(self, queue: mpsc::Receiver<Request>) -> std::io::Result<thread::JoinHandle<()>> {
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || self.run(queue))
    }

    fn run(mut self, mut queue: mpsc::Receiver<Request>) {
        let mut batch = Vec::with_capacity(limits::COMMIT_BATCH_MAX);
        while queue.blocking_recv_many(&mut batch, limits::COMMIT_BATCH_MAX) > 0 {
            if batch.iter().any(|request| matches!(request.work, Work::Close)) {
                queue.close();
            }
            self.commit(&mut batch);
            self.checkpoints.after_commit(&self.connection);
        }
        // The log is then empty, and the database can be copied as one file.
        if let Err(error) = self.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(error = %error, "checkpoint at the end failed; the next start makes up for it");
        }
    }

    /// Writes all requests in one transaction and answers them all, in this order: durable, feed, answers.
    pub(super) fn commit(&mut self, batch: &mut Vec<Request>) {
        let mut fresh = Vec::new();
        match self.write(batch, &mut fresh) {
            Ok(answers) => {
                if self.failing {
                    self.failing = false;
                    tracing::info!("store commits again");
                }
                self.publish(fresh);
                for (request, answer) in batch.drain(..).zip(answers) {
                    reply(request, answer);
                }
            }
            Err(error) => {
                let error = StoreError::sqlite("commit to", &self.path, error);
                if !self.failing {
                    self.failing = true;
                    tracing::error!(error = %Chain(&error), "store cannot commit");
                }
                for request in batch.drain(..) {
                    reply(request, Err(error.clone()));
                }
            }
        }
    }

    fn write(&mut self, batch: &[Request], fresh: &mut Vec<FreshDelivery>) -> rusqlite::Result<Vec<Answer>> {
        // Immediate: a foreign writer is met here, before there is anything to undo. On an early return the
        // transaction rolls itself back.
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut answers = Vec::with_capacity(batch.len());
        let mut changes = Changes::prepare(&transaction)?;
        for request in batch {
            let answer = match &request.work {
                Work::Accept(row) => changes.accept(row, fresh),
                Work::Record(records) => changes.record(records).map(|()| Vec::new()),
                Work::Check => migrate::touch(&transaction).map(|()| Vec::new()).map_err(ChangeError::Failed),
                Work::Close => Ok(Vec::new()),
            };
            answers.push(match answer {
                Ok(ids) => Ok(ids),
                Err(ChangeError::Refused(error)) => Err(error),
                Err(ChangeError::Failed(error)) => return Err(error),
            });
        }
        drop(changes);
        transaction.commit()?;
        Ok(answers)
    }

    /// Tells the reader of the feed what was committed. The feed comes before the mark: a reader who has emptied the
    /// feed and still sees a higher mark knows that something was left out.
    fn publish(&mut self, mut deliveries: Vec<FreshDelivery>) {
        let (Some(first), Some(last)) = (deliveries.first(), deliveries.last()) else { return };
        let (first, last) = (first.ticket.id, last.ticket.id);
        self.cool(&mut deliveries);
        // Full: the reader is behind and will read the gap from the store. Closed: nobody wants to know.
        drop(self.feed.try_send(Committed { first, last, deliveries }));
        self.highest.send_replace(Some(last));
    }

    /// Drops the bodies that are too many for memory.
    fn cool(&self, deliveries: &mut [FreshDelivery]) {
        let mut bytes = 0;
        let mut counted = None;
        for delivery in deliveries {
            let Some(body) = &delivery.body else { continue };
            // Deliveries of one event share its body.
            if counted != Some(delivery.ticket.event) {
                counted = Some(delivery.ticket.event);
                bytes += body.len();
            }
            if bytes > self.feed_body_bytes_max {
                delivery.body = None;
            }
        }
    }
}

fn reply(request: Request, answer: Answer) {
    // Whoever asked may have stopped waiting; what was committed stays committed.
    drop(request.answer.send(answer));
}

#[cfg(test)]
mod tests;
