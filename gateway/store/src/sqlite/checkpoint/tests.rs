use std::{
    mem,
    sync::{
        Barrier,
        mpsc::{SyncSender, TryRecvError, sync_channel},
    },
};

use super::*;
use crate::{
    NewEvent, Store, StoreError,
    sqlite::{Options, SqliteStore, log::System, tests::Scratch, turn::Ready},
    testing::{accept, event_id, new_event, with_body},
};

/// What the log of a fresh database takes.
const SCHEMA_MAX: u64 = 1024 * 1024 + 256 * 1024;

/// A disk on which nothing comes to the platter.
#[derive(Debug)]
struct Broken;

impl Disk for Broken {
    fn sync(&self, _: &File) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(5))
    }
}

#[test]
fn nothing_is_applied_once_the_database_file_is_suspect() {
    let scratch = Scratch::new();
    let path: Arc<Path> = scratch.path().into();
    let _lock = open::Lock::take(&path).unwrap();
    let file = Arc::new(open::file(&path).unwrap());
    let connection = open::writer(&path, &System).unwrap();
    let turn = Arc::new(Turn::new(Ready::new(connection, 0, Tuning::default()).unwrap()));
    let (notes, noted) = sync_channel(1);
    let checkpoints = Checkpoints {
        path: Arc::clone(&path),
        file,
        disk: Arc::new(Broken),
        moving: Arc::new(Moving::new(path, &Tuning::default())),
        turn: Arc::clone(&turn),
        notes,
    };
    let error = checkpoints.move_all().unwrap_err();
    assert!(error.suspect);
    assert!(turn.take().ready().is_err(), "the writer need not be told, it has nothing to write with");
    assert!(matches!(noted.try_recv(), Err(TryRecvError::Empty)));
    checkpoints.move_all().unwrap();
}

/// Where a checkpoint of somebody else waits while it holds the lock of all who move.
static MOVING: Barrier = Barrier::new(2);

fn wait_while_moving(_: i32) -> bool {
    MOVING.wait();
    MOVING.wait();
    false
}

#[tokio::test]
async fn what_somebody_else_moves_is_not_taken_for_moved() {
    let scratch = Scratch::new();
    let store = scratch.store();
    accept(&store, new_event(1, "k", &["d"])).await;
    let reading = Connection::open(scratch.path()).unwrap();
    reading.execute_batch("BEGIN; SELECT * FROM event").unwrap();
    accept(&store, new_event(2, "k", &["d"])).await;
    let path = scratch.path();
    let other = thread::spawn(move || {
        let mut other = Connection::open(path).unwrap();
        other.busy_handler(Some(wait_while_moving)).unwrap();
        other.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get::<_, bool>(0)).unwrap()
    });
    MOVING.wait();
    let moved = Moving::new(scratch.path().into(), &Tuning::default()).move_pages().unwrap();
    MOVING.wait();
    assert!(moved.left > 0 && !moved.starts_again, "{moved:?}");
    assert!(other.join().unwrap(), "it waited for the one who reads");
    assert!(store.event(event_id(2)).await.unwrap().is_some());
}

fn open(scratch: &Scratch, tuning: Tuning) -> SqliteStore {
    let (store, _feed, _highest) =
        SqliteStore::open_on(Options::new(scratch.path()), Arc::new(System), tuning).unwrap();
    store
}

/// For reads that do not end, so that nobody waits for them for long.
fn small(log_due_bytes: u64, log_full_bytes: u64) -> Tuning {
    let log_overdue_bytes = 2 * log_due_bytes;
    Tuning {
        log_due_bytes,
        log_restart_bytes: log_due_bytes,
        log_overdue_bytes,
        log_full_bytes,
        reads_end_max: Duration::from_millis(5),
        ..Tuning::default()
    }
}

fn log_bytes(scratch: &Scratch) -> u64 {
    std::fs::metadata(open::beside(&scratch.path(), "-wal")).unwrap().len()
}

fn event(n: u32) -> NewEvent {
    with_body(new_event(n, "k", &["d"]), vec![b'x'; 30_000])
}

#[tokio::test]
async fn the_log_is_bounded_even_behind_a_reader_that_does_not_end() {
    const FULL: u64 = SCHEMA_MAX * 2;
    let scratch = Scratch::new();
    let tuning = small(FULL / 4, FULL);
    let store = open(&scratch, tuning);
    let mut numbers = 1..;
    let mut next = || event(numbers.next().unwrap());
    accept(&store, next()).await;
    let foreign = Connection::open(scratch.path()).unwrap();
    foreign.execute_batch("BEGIN; SELECT * FROM event").unwrap();
    let refused = loop {
        if let Err(error) = store.accept(next()).await {
            break error;
        }
    };
    assert!(matches!(refused, StoreError::Busy), "{refused}");
    let commit_max = 40 * 16 * 1024;
    let length = log_bytes(&scratch);
    assert!(length < FULL + commit_max, "{length}");
    foreign.execute_batch("ROLLBACK").unwrap();
    while store.accept(next()).await.is_err() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_short_log_is_moved_without_keeping_the_writer_waiting() {
    const DUE: u64 = 256 * 1024;
    let scratch = Scratch::new();
    let store =
        open(&scratch, Tuning { log_due_bytes: DUE, log_restart_bytes: 8 * DUE, ..Tuning::default() });
    for n in 0..400 {
        accept(&store, event(n)).await;
    }
    let moved = std::fs::metadata(scratch.path()).unwrap().len();
    assert!(moved >= DUE, "{moved} bytes are moved");
    // Its longest: a log that starts again is overwritten, not cut.
    let length = log_bytes(&scratch);
    assert!((4 * DUE..32 * DUE).contains(&length), "{length} bytes");
}

/// Reads that overlap: before one ends the next has begun.
struct Overlapping {
    older: Connection,
    newer: Connection,
}

impl Overlapping {
    fn begin(scratch: &Scratch) -> Self {
        let [older, newer] = [(), ()].map(|()| Connection::open(scratch.path()).unwrap());
        newer.execute_batch("BEGIN; SELECT * FROM event").unwrap();
        Self { older, newer }
    }

    fn begin_next(&mut self) {
        mem::swap(&mut self.older, &mut self.newer);
        self.newer.execute_batch("BEGIN; SELECT * FROM event").unwrap();
    }

    fn end_older(&mut self) {
        self.older.execute_batch("ROLLBACK").unwrap();
    }
}

/// Reads that overlap for as long as this lives.
struct Reading {
    stop: Option<SyncSender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Reading {
    fn start(scratch: &Scratch) -> Self {
        /// Looks for the next commit before a read ends all the same: some milliseconds.
        const LOOKS_MAX: usize = 1_000;
        let (stop, stopped) = sync_channel::<()>(0);
        let mut reads = Overlapping::begin(scratch);
        let watching = Connection::open(scratch.path()).unwrap();
        let commits =
            move || -> i64 { watching.query_row("PRAGMA data_version", [], |row| row.get(0)).unwrap() };
        let thread = thread::spawn(move || {
            while stopped.try_recv() == Err(TryRecvError::Empty) {
                reads.begin_next();
                // With a commit while both are there, one of them always reads from the log.
                let before = commits();
                let _ = (0..LOOKS_MAX).find(|_| commits() != before);
                reads.end_older();
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap();
    }
}

#[tokio::test]
async fn reads_that_overlap_do_not_keep_the_log_from_starting_again() {
    const OVERDUE: u64 = 256 * 1024;
    /// It starts again after some ten events.
    const EVENTS_MAX: u32 = 5_000;
    let scratch = Scratch::new();
    let tuning = Tuning {
        log_due_bytes: OVERDUE / 2,
        log_restart_bytes: OVERDUE / 2,
        log_overdue_bytes: OVERDUE,
        ..Tuning::default()
    };
    let store = open(&scratch, tuning);
    accept(&store, event(0)).await;
    let first = restarts(&scratch);
    let _reading = Reading::start(&scratch);
    for n in 1.. {
        accept(&store, event(n)).await;
        if restarts(&scratch) - first >= 5 {
            break;
        }
        assert!(n < EVENTS_MAX, "it has started again {} times", restarts(&scratch) - first);
    }
}

/// How often the log has started again: a number in its header.
fn restarts(scratch: &Scratch) -> u32 {
    let header = std::fs::read(open::beside(&scratch.path(), "-wal")).unwrap();
    u32::from_be_bytes(header[12..16].try_into().unwrap())
}

#[tokio::test]
async fn no_wait_for_reads_that_overlap_is_in_vain() {
    let scratch = Scratch::new();
    let tuning = Tuning { reads_end_max: Duration::from_secs(2), ..Tuning::default() };
    drop(open(&scratch, tuning));
    let writing = Connection::open(scratch.path()).unwrap();
    writing.execute_batch("CREATE TABLE written (n INTEGER)").unwrap();
    let moving = Moving::new(scratch.path().into(), &tuning);
    let _reading = Reading::start(&scratch);
    for n in 0..300 {
        writing.execute("INSERT INTO written VALUES (?)", [n]).unwrap();
        let moved = moving.start_again().unwrap();
        assert!(moved.starts_again, "commit {n}: {moved:?}");
    }
}

#[tokio::test]
async fn the_log_is_bounded_although_all_of_it_was_moved() {
    const FULL: u64 = SCHEMA_MAX * 2;
    const COMMIT_MAX: u64 = 20 * 16 * 1024;
    let scratch = Scratch::new();
    let tuning = small(FULL / 2, FULL);
    let store = open(&scratch, tuning);
    accept(&store, event(0)).await;
    let mut reads = Overlapping::begin(&scratch);
    let (mut n, mut refused) = (0, 0);
    while refused < 5 {
        n += 1;
        // Each sees the last commit: what there is can be moved, and the log still not start again.
        reads.begin_next();
        if let Err(error) = store.accept(event(n)).await {
            assert!(matches!(error, StoreError::Busy), "{error}");
            refused += 1;
        }
        reads.end_older();
        let length = log_bytes(&scratch);
        assert!(length < FULL + COMMIT_MAX, "{length}");
    }
    drop(reads);
    while store.accept(event(1_000)).await.is_err() {
        tokio::task::yield_now().await;
    }
}
