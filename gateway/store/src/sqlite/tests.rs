mod audit_log;
mod beside;
mod damaged;
mod faults;
mod finding;
mod following;
mod history_model;
mod model;
mod plans;
mod state_model;
mod statements;

use std::{os::unix::fs::PermissionsExt, path::PathBuf, pin::Pin, task::Poll};

use postroom_core::{delivery::DeliveryState, limits::INLINE_BODY_BYTES_MAX};
use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::{
    DeliveryFilter, NewReplay, Store,
    testing::{
        accept, at, body, change, destination, event_id, finished, marked, new_event, page, waiting,
        waiting_for, with_body,
    },
};

/// A place for a store; what was made there goes when it goes.
pub(super) struct Scratch(TempDir);

impl Scratch {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("data").join("postroom.db")
    }

    fn options(&self) -> Options {
        Options::new(self.path())
    }

    fn open(&self) -> Opened {
        SqliteStore::open(self.options()).unwrap()
    }

    pub(super) fn store(&self) -> SqliteStore {
        self.open().0
    }

    /// How many files of large bodies there are.
    fn blob_files(&self) -> usize {
        let folders = std::fs::read_dir(open::beside(&self.path(), ".blobs")).unwrap();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    /// Changes the database behind the store's back.
    fn meddle(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }
}

mod contract {
    use super::Scratch;

    crate::contract::contract_tests!({
        let scratch = Scratch::new();
        (scratch.store(), scratch)
    });
}

#[tokio::test]
async fn a_reopened_store_has_everything_and_counts_on() {
    let scratch = Scratch::new();
    let large = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    let ids = {
        let (store, _feed, highest) = scratch.open();
        assert_eq!(*highest.borrow(), None);
        let mut ids = accept(&store, new_event(1, "k", &["a", "b"])).await;
        ids.extend(accept(&store, with_body(new_event(2, "k", &["a"]), large.clone())).await);
        store.record(vec![change(ids[0], DeliveryState::Delivered)]).await.unwrap();
        ids
    };
    let (store, _feed, highest) = scratch.open();
    assert_eq!(waiting(&store).await, ids[1..]);
    assert_eq!(body(&store, 2).await, large);
    assert_eq!(*highest.borrow(), ids.last().copied());
    assert!(accept(&store, new_event(3, "k", &["a"])).await[0] > ids[2]);
}

#[tokio::test]
async fn a_second_open_is_refused_while_the_first_lasts() {
    let scratch = Scratch::new();
    let first = scratch.open();
    let refused = SqliteStore::open(scratch.options()).unwrap_err();
    assert!(matches!(&refused, OpenError::InUse { path } if *path == scratch.path()), "{refused}");
    drop(first);
    scratch.open();
}

#[tokio::test]
async fn the_lock_outlives_every_connection() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let reader = store.reader.clone();
    drop(store);
    let refused = SqliteStore::open(scratch.options()).unwrap_err();
    assert!(matches!(refused, OpenError::InUse { .. }), "somebody may still read: {refused}");
    drop(reader);
    scratch.open();
}

#[tokio::test]
async fn a_foreign_database_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path().parent().unwrap()).unwrap();
    scratch.meddle("CREATE TABLE other (x); INSERT INTO other VALUES (1)");
    let before = std::fs::read(scratch.path()).unwrap();
    let refused = SqliteStore::open(scratch.options()).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert_eq!(std::fs::read(scratch.path()).unwrap(), before);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path().parent().unwrap()).unwrap();
    let letter = "Dear reader, this is not a database. ".repeat(99);
    std::fs::write(scratch.path(), &letter).unwrap();
    let refused = SqliteStore::open(scratch.options()).unwrap_err();
    assert!(matches!(refused, OpenError::Foreign { .. }), "{refused}");
    assert_eq!(std::fs::read_to_string(scratch.path()).unwrap(), letter);
}

#[tokio::test]
async fn a_newer_schema_is_refused_with_both_versions() {
    let scratch = Scratch::new();
    drop(scratch.open());
    scratch.meddle("PRAGMA user_version = 4711");
    let refused = SqliteStore::open(scratch.options()).unwrap_err();
    assert!(matches!(refused, OpenError::TooNew { found: 4711, .. }), "{refused}");
    let message = refused.to_string();
    assert!(message.contains("4711") && message.contains("up to 9"), "{message}");
}

#[tokio::test]
async fn files_are_for_this_user_alone() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let large = vec![0; INLINE_BODY_BYTES_MAX + 1];
    accept(&store, with_body(new_event(1, "k", &["d"]), large)).await;
    let mut folders = vec![scratch.path().parent().unwrap().to_owned()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            assert_eq!(metadata.permissions().mode() & 0o077, 0, "{:?}", entry.path());
            if metadata.is_dir() { folders.push(entry.path()) } else { files += 1 }
        }
    }
    // Database, write-ahead log, shared memory, lock, one large body.
    assert_eq!(files, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_is_gapless_and_in_order_under_concurrent_accepts() {
    const TASKS: u32 = 4;
    const EACH: u32 = 60;
    const EVENTS: u32 = TASKS * EACH;
    let scratch = Scratch::new();
    let (store, mut feed, highest) =
        SqliteStore::open(Options { feed_commits_max: EVENTS as usize, ..scratch.options() }).unwrap();
    let store = Arc::new(store);
    let tasks = (0..TASKS).map(|task| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let accepts = (0..EACH).map(|n| store.accept(new_event(task * EACH + n, "k", &["a", "b"])));
            futures_util::future::join_all(accepts).await
        })
    });
    let mut ids = Vec::new();
    for task in futures_util::future::join_all(tasks).await {
        ids.extend(task.unwrap().into_iter().flat_map(|accepted| accepted.unwrap().deliveries));
    }
    ids.sort();

    let mut next = 1;
    while let Ok(commit) = feed.try_recv() {
        assert_eq!(commit.first.get(), next);
        for delivery in &commit.deliveries {
            assert_eq!(delivery.ticket.id.get(), next);
            assert_eq!(delivery.ticket.event, delivery.event.id);
            next += 1;
        }
        assert_eq!(commit.last.get(), next - 1);
    }
    assert_eq!(next - 1, i64::from(EVENTS) * 2);
    assert_eq!(highest.borrow().map(DeliveryId::get), Some(next - 1));
    assert_eq!(waiting(&*store).await, ids);
}

#[tokio::test]
async fn a_fresh_delivery_carries_what_the_store_would_give() {
    let scratch = Scratch::new();
    let (store, mut feed, _highest) = scratch.open();
    accept(&store, new_event(1, "k", &["a"])).await;
    accept(&store, with_body(new_event(2, "k", &["a"]), vec![0; INLINE_BODY_BYTES_MAX + 1])).await;
    let (small, large) = (feed.recv().await.unwrap(), feed.recv().await.unwrap());
    assert_eq!(small.deliveries[0].body.as_ref().unwrap(), "body 1");
    assert!(large.deliveries[0].body.is_none(), "kept as a file");
    let fresh = [&small, &large].map(|commit| commit.deliveries[0].ticket.clone());
    assert_eq!(store.waiting(destination("a"), None, 9).await.unwrap(), fresh);
}

#[tokio::test]
async fn a_full_feed_loses_nothing_and_the_mark_tells() {
    let scratch = Scratch::new();
    let (store, mut feed, highest) =
        SqliteStore::open(Options { feed_commits_max: 1, ..scratch.options() }).unwrap();
    for n in 1..=5 {
        accept(&store, new_event(n, "k", &["d"])).await;
    }
    let first = feed.recv().await.unwrap();
    assert!(feed.try_recv().is_err());
    assert_eq!(highest.borrow().map(DeliveryId::get), Some(5));
    let missed = store.waiting(destination("d"), Some(first.last), 99).await.unwrap();
    assert_eq!(missed.iter().map(|ticket| ticket.id.get()).collect::<Vec<_>>(), [2, 3, 4, 5]);
    accept(&store, new_event(6, "k", &["d"])).await;
    assert_eq!(feed.recv().await.unwrap().first.get(), 6);
}

#[tokio::test]
async fn nobody_needs_to_read_the_feed() {
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 1..=3 {
        accept(&store, new_event(n, "k", &["d"])).await;
    }
    assert_eq!(waiting(&store).await.len(), 3);
}

#[tokio::test]
async fn what_was_queued_is_kept_when_its_caller_stops_waiting() {
    let scratch = Scratch::new();
    let store = scratch.store();
    {
        let mut accepting = store.accept(new_event(1, "k", &["d"]));
        assert!(begin(&mut accepting).await.is_pending());
    }
    store.close().await;
    assert_eq!(waiting(&store).await.len(), 1);
}

/// Polls once, so that a lazy future begins.
pub(super) async fn begin<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut *future).poll(context))).await
}

#[tokio::test]
async fn with_a_full_queue_an_event_is_refused_at_once_and_an_outcome_waits() {
    let scratch = Scratch::new();
    let (store, _feed, _highest) = SqliteStore::open(Options { queue_max: 1, ..scratch.options() }).unwrap();
    let id = accept(&store, new_event(1, "k", &["d"])).await[0];
    // A foreign writer holds the database, so the first commit stands and the queue behind it fills.
    let foreign = Connection::open(scratch.path()).unwrap();
    foreign.execute_batch("BEGIN IMMEDIATE").unwrap();

    let mut with_writer = store.accept(new_event(10, "k", &["d"]));
    assert!(begin(&mut with_writer).await.is_pending());
    while store.queue.as_ref().unwrap().capacity() == 0 {
        tokio::task::yield_now().await;
    }
    let mut queued = store.accept(new_event(11, "k", &["d"]));
    assert!(begin(&mut queued).await.is_pending());
    assert!(matches!(store.accept(new_event(12, "k", &["d"])).await, Err(StoreError::Busy)));
    let blobs = std::fs::read_dir(open::beside(&scratch.path(), ".blobs")).unwrap().count();
    let large = with_body(new_event(20, "k", &["d"]), vec![0; INLINE_BODY_BYTES_MAX + 1]);
    assert!(matches!(store.accept(large).await, Err(StoreError::Busy)));
    let after = std::fs::read_dir(open::beside(&scratch.path(), ".blobs")).unwrap().count();
    assert_eq!(after, blobs, "a body that is refused is not kept");
    let mut recording = store.record(vec![change(id, DeliveryState::Dead)]);
    assert!(begin(&mut recording).await.is_pending());

    foreign.execute_batch("ROLLBACK").unwrap();
    with_writer.await.unwrap();
    queued.await.unwrap();
    recording.await.unwrap();
}

#[tokio::test]
async fn when_the_writer_dies_its_callers_are_told() {
    let scratch = Scratch::new();
    let mut store = scratch.store();
    // A writer that takes one request and ends without answering.
    let (queue, mut requests) = mpsc::channel(1);
    store.queue = Some(queue);
    let dying = async { drop((requests.recv().await, requests)) };
    let (accepted, ()) = tokio::join!(store.accept(new_event(1, "k", &["d"])), dying);
    assert!(matches!(accepted, Err(StoreError::Stopped)), "{accepted:?}");
    assert!(matches!(store.check().await, Err(StoreError::Stopped)));
}

#[tokio::test]
async fn closing_finishes_what_is_queued_and_takes_nothing_more() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let accepts = futures_util::future::join_all((1..=50).map(|n| store.accept(new_event(n, "k", &["d"]))));
    let (accepted, ()) = tokio::join!(accepts, store.close());
    assert!(accepted.iter().all(Result::is_ok));
    assert!(matches!(store.accept(new_event(99, "k", &["d"])).await, Err(StoreError::Stopped)));
    assert!(matches!(store.record(Vec::new()).await, Err(StoreError::Stopped)));
    assert!(matches!(store.check().await, Err(StoreError::Stopped)));
    assert_eq!(waiting(&store).await.len(), 50, "reads still work");
    store.close().await;
    drop(store);
    let log = open::beside(&scratch.path(), "-wal");
    assert!(std::fs::metadata(log).map_or(0, |log| log.len()) == 0, "everything is in the database file");
}

#[tokio::test]
async fn a_replay_goes_on_where_it_stopped_when_the_store_was_closed() {
    let scratch = Scratch::new();
    let id = {
        let store = scratch.store();
        for n in 1..=5 {
            finished(&store, new_event(n, "k", &["d"]), DeliveryState::Dead, 2_000).await;
        }
        let new = NewReplay {
            filter: DeliveryFilter::default(),
            destinations: vec![destination("d")],
            per_second: 1,
            count: 5,
            final_by: at(3_000),
            by: "ann".to_owned(),
            at: at(3_000),
        };
        let id = store.begin_replay(new).await.unwrap().id;
        assert_eq!(store.advance_replay(id, 2, at(4_000)).await.unwrap().unwrap().made, 2);
        id
    };
    let (store, mut feed, _highest) = scratch.open();
    assert_eq!(store.running_replays().await.unwrap()[0].id, id);
    assert_eq!(store.advance_replay(id, 9, at(5_000)).await.unwrap().unwrap().made, 5);
    let told = feed.recv().await.unwrap();
    assert_eq!((told.first.get(), told.last.get()), (8, 10), "what it makes is told to the feed");
    assert_eq!(told.deliveries[0].event.id, event_id(3));
    let mut originals = Vec::new();
    for made in waiting(&store).await {
        originals.push(store.delivery(made).await.unwrap().unwrap().delivery.replay_of.unwrap().get());
    }
    assert_eq!(originals, [1, 2, 3, 4, 5]);
}

#[tokio::test]
async fn a_check_goes_all_the_way_to_the_disk() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let log = open::beside(&scratch.path(), "-wal");
    let before = std::fs::metadata(&log).unwrap().len();
    store.check().await.unwrap();
    assert!(std::fs::metadata(&log).unwrap().len() > before);
}
