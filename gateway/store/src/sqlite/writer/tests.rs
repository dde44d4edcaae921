use std::{
    fs::File,
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    time::Duration,
};

use postroom_core::{delivery::DeliveryState, id::DeliveryId};
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::*;
use crate::{
    NewEvent,
    body::NewBody,
    records::{Accepted, Committed},
    sqlite::{
        bodies::StoredBody,
        change::EventRow,
        checkpoint::Moving,
        feed::Feed,
        job::{self, Asked},
        log::{Disk, Log, System},
        migrate,
        open::{self, Held},
        reader::Reader,
        sync::Syncer,
        tests::Scratch,
        tuning::Tuning,
        turn::Ready,
    },
    testing::{change, event_id, marked, new_event, with_body},
};

/// A writer and what comes behind it, without their threads: each commit has exactly the jobs that a test gives it.
struct Bench {
    writer: Writer,
    syncer: Syncer,
    notes: Receiver<Note>,
    feed: mpsc::Receiver<Committed>,
    highest: watch::Receiver<Option<DeliveryId>>,
    scratch: Scratch,
}

/// What a request was answered; of an event the ids of its deliveries.
type Answer = Result<Vec<DeliveryId>, StoreError>;

/// A request of a test.
enum Work {
    /// Makes an event without any of what it must have.
    Nonsense,
    Accept(Box<EventRow>),
    Record(DeliveryId, DeliveryState),
    Check,
}

impl Bench {
    fn new(feed_commits_max: usize) -> Self {
        let scratch = Scratch::new();
        let path: Arc<Path> = scratch.path().into();
        let lock = open::Lock::take(&path).unwrap();
        let held = Held { _file: Arc::new(open::file(&path).unwrap()), _lock: lock };
        let ready = Ready::new(open::writer(&path, &System).unwrap(), 0, Tuning::default()).unwrap();
        let turn = Arc::new(Turn::new(ready));
        let (feed, commits) = mpsc::channel(feed_commits_max);
        let (mark, highest) = watch::channel(None);
        let (sender, notes) = sync_channel(1);
        let (due, _) = sync_channel(1);
        let syncer = Syncer {
            path: Arc::clone(&path),
            log: Log::open(Arc::clone(&path), Arc::new(System)).unwrap(),
            feed: Feed::new(feed, mark, watch::channel(0).0),
            turn: Arc::clone(&turn),
            reader: Reader::new(Arc::clone(&path), held),
            moving: Arc::new(Moving::new(Arc::clone(&path), &Tuning::default())),
            tuning: Tuning::default(),
            noted: 0,
        };
        let writer = Writer { path, turn, notes: sender, due, failing: false };
        Self { writer, syncer, notes, feed: commits, highest, scratch }
    }

    fn commit(&mut self, works: impl IntoIterator<Item = Work>) -> Vec<Answer> {
        let mut jobs = Vec::new();
        let mut take: Vec<Box<dyn FnOnce() -> Answer>> = Vec::new();
        for work in works {
            match work {
                Work::Accept(row) => {
                    let ids = |(accepted, _): (Accepted, _)| accepted.deliveries;
                    Self::ask(job::accept(row), ids, &mut jobs, &mut take);
                }
                Work::Record(id, state) => {
                    let records = vec![change(id, state)];
                    let none = |()| Vec::new();
                    Self::ask(
                        job::change(move |changes, _| changes.record(&records)),
                        none,
                        &mut jobs,
                        &mut take,
                    );
                }
                Work::Nonsense => {
                    let nonsense = job::change(|changes, fresh| {
                        changes.accept(&row(new_event(99, "k", &["d"])), fresh)?;
                        changes.connection().execute("INSERT INTO event (id) VALUES ('99')", [])?;
                        Ok(())
                    });
                    Self::ask(nonsense, |()| Vec::new(), &mut jobs, &mut take);
                }
                Work::Check => {
                    let touch = job::change(|changes, _| Ok(migrate::touch(changes.connection())?));
                    Self::ask(touch, |()| Vec::new(), &mut jobs, &mut take);
                }
            }
        }
        if let Some(commit) = self.writer.apply(jobs) {
            self.syncer.settle(Note::Committed(commit), &self.notes);
        }
        take.into_iter().map(|take| take()).collect()
    }

    fn ask<T: 'static>(
        (job, mut answered): Asked<T>,
        ids: impl FnOnce(T) -> Vec<DeliveryId> + 'static,
        jobs: &mut Vec<Box<dyn Job>>,
        take: &mut Vec<Box<dyn FnOnce() -> Answer>>,
    ) {
        jobs.push(job);
        take.push(Box::new(move || answered.try_recv().unwrap().map(ids)));
    }

    fn limit_pages(&self, pages: i64) {
        let mut turn = self.writer.turn.take();
        let connection: &Connection = &turn.ready().unwrap().connection;
        connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    fn count(&self, table: &str) -> i64 {
        let connection = open::reader(&self.scratch.path()).unwrap();
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

fn row(new: NewEvent) -> EventRow {
    let NewBody::Inline(body) = new.body else { panic!("a small body") };
    EventRow::new(new.event, StoredBody::Inline(body), new.targets, &new.explanations, new.mark)
}

fn accept(new: NewEvent) -> Work {
    Work::Accept(Box::new(row(new)))
}

fn record(id: i64, state: DeliveryState) -> Work {
    Work::Record(DeliveryId::new(id), state)
}

fn large(n: u32) -> Work {
    accept(with_body(new_event(n, "k", &["d"]), vec![b'x'; 30_000]))
}

#[test]
fn a_full_disk_answers_all_keeps_nothing_and_passes() {
    let mut bench = Bench::new(8);
    assert!(bench.commit([accept(new_event(1, "k", &["d"]))])[0].is_ok());
    bench.limit_pages(1);
    let small = || accept(new_event(2, "k", &["d"]));
    for _ in 0..2 {
        // More than the pages that a migration has left free.
        let mut works = vec![small(), record(1, DeliveryState::Dead)];
        works.extend((3..11).map(large));
        works.push(small());
        let answers = bench.commit(works);
        assert_eq!(answers.len(), 11);
        for answer in answers {
            assert!(matches!(answer, Err(StoreError::Full { .. })), "{answer:?}");
        }
        assert_eq!((bench.count("event"), bench.count("delivery")), (1, 1));
    }
    assert_eq!(bench.feed.try_recv().unwrap().last.get(), 1);
    assert!(bench.feed.try_recv().is_err(), "what was not kept is not told");
    assert_eq!(bench.highest.borrow().map(DeliveryId::get), Some(1));

    bench.limit_pages(1_000_000);
    let answers = bench.commit([small(), large(3)]);
    assert_eq!(answers[0].as_ref().unwrap()[..], [DeliveryId::new(2)], "no number was used up");
    assert!(answers[1].is_ok());
    assert_eq!(bench.count("delivery"), 3);
}

#[test]
fn a_request_that_makes_no_sense_spoils_no_other() {
    let mut bench = Bench::new(8);
    let event = |n| accept(new_event(n, "k", &["d"]));
    let answers = bench.commit([event(1), event(1), record(9, DeliveryState::Dead), event(2)]);
    assert!(matches!(answers[1], Err(StoreError::Duplicate { event }) if event == event_id(1)));
    assert!(matches!(answers[2], Err(StoreError::UnknownDelivery { .. })));
    assert_eq!(answers[3].as_ref().unwrap()[..], [DeliveryId::new(2)]);
    let told = bench.feed.try_recv().unwrap();
    assert_eq!((told.first.get(), told.last.get(), told.deliveries.len()), (1, 2, 2));
}

#[test]
fn requests_of_one_commit_see_each_other_in_order() {
    let mut bench = Bench::new(8);
    let answers = bench.commit([
        accept(new_event(1, "k", &["d"])),
        record(1, DeliveryState::Dead),
        record(1, DeliveryState::Pending),
    ]);
    assert!(answers.iter().all(Result::is_ok));
    let waiting = "delivery WHERE state = 'pending' AND finished_at IS NULL";
    assert_eq!(bench.count(waiting), 1);
}

#[test]
fn a_commit_without_deliveries_is_not_told() {
    let mut bench = Bench::new(8);
    bench.commit([accept(new_event(1, "k", &[])), Work::Check]);
    assert!(bench.feed.try_recv().is_err());
    assert_eq!(*bench.highest.borrow(), None);
}

#[test]
fn the_feed_holds_no_more_bodies_than_memory_is_meant_for() {
    let mut bench = Bench::new(512);
    // With 512 commits the share of each is two of these bodies.
    let event = |n| accept(with_body(new_event(n, "k", &["a", "b"]), vec![b'x'; 32 * 1024]));
    bench.commit([event(1), event(2), event(3)]);
    let told = bench.feed.try_recv().unwrap();
    let with_body: Vec<bool> = told.deliveries.iter().map(|delivery| delivery.body.is_some()).collect();
    assert_eq!(with_body, [true, true, true, true, false, false]);
}

#[test]
fn a_request_that_the_database_cannot_write_spoils_no_other() {
    let mut bench = Bench::new(8);
    let event = |n| accept(new_event(n, "k", &["d"]));
    let answers =
        bench.commit([event(1), Work::Nonsense, event(2), Work::Nonsense, record(1, DeliveryState::Dead)]);
    let kept: Vec<bool> = answers.iter().map(Result::is_ok).collect();
    assert_eq!(kept, [true, false, true, false, true]);
    assert!(matches!(answers[1], Err(StoreError::Unavailable { .. })), "{:?}", answers[1]);
    assert_eq!((bench.count("event"), bench.count("delivery")), (2, 2), "nothing of it is left");
    let told = bench.feed.try_recv().unwrap();
    let told: Vec<i64> = told.deliveries.iter().map(|delivery| delivery.ticket.id.get()).collect();
    assert_eq!(told, answers[0].iter().chain(&answers[2]).flatten().map(|id| id.get()).collect::<Vec<_>>());
    assert!(bench.commit([Work::Nonsense])[0].is_err());
    assert!(bench.commit([event(3)])[0].is_ok());
}

/// The first syncs fail.
#[derive(Debug)]
struct FailFirst(AtomicUsize);

impl Disk for FailFirst {
    fn sync(&self, file: &File) -> io::Result<()> {
        match self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) {
            Ok(_) => Err(io::Error::from_raw_os_error(5)),
            Err(_) => file.sync_data(),
        }
    }
}

impl Bench {
    fn fail_syncs(&mut self, failures: usize) {
        let disk = FailFirst(failures.into());
        self.syncer.log = Log::open(self.scratch.path().into(), Arc::new(disk)).unwrap();
        self.syncer.tuning.restore_interval = Duration::from_millis(1);
    }
}

/// An event whose commit the bench has applied, and the place of its answer.
fn applied(bench: &mut Bench, new: NewEvent) -> (Note, oneshot::Receiver<Result<Taken, StoreError>>) {
    let (job, answered) = job::accept(Box::new(row(new)));
    (Note::Committed(bench.writer.apply(vec![job]).unwrap()), answered)
}

type Taken = (Accepted, Box<EventRow>);

#[test]
fn the_mark_tells_of_a_commit_after_the_feed_also_when_an_earlier_sync_is_mended() {
    let mut bench = Bench::new(8);
    bench.fail_syncs(1);
    let (one, mut answered_one) = applied(&mut bench, new_event(1, "k", &["d"]));
    let (two, mut answered_two) = applied(&mut bench, new_event(2, "k", &["d"]));
    for (note, answered, id) in [(one, &mut answered_one, 1), (two, &mut answered_two, 2)] {
        bench.syncer.settle(note, &bench.notes);
        assert!(answered.try_recv().unwrap().is_ok());
        assert_eq!(bench.feed.try_recv().unwrap().last.get(), id);
        assert_eq!(bench.highest.borrow().map(DeliveryId::get), Some(id));
    }
}

#[test]
fn a_commit_that_is_told_of_late_is_refused_with_the_one_it_rests_on() {
    let mut bench = Bench::new(8);
    bench.fail_syncs(2);
    let (one, answered_one) = applied(&mut bench, marked(new_event(1, "k", &["d"]), "key", 1));
    let (two, answered_two) = applied(&mut bench, marked(new_event(2, "k", &["d"]), "key", 1));
    let Bench { writer, mut syncer, notes, .. } = bench;
    let settling = thread::spawn(move || syncer.settle(one, &notes));
    assert!(answered_one.blocking_recv().unwrap().is_err());
    assert!(writer.turn.take().ready().is_err(), "nothing goes on before the second is told of");
    writer.notes.send(two).unwrap();
    let repeat = answered_two.blocking_recv().unwrap();
    assert!(repeat.is_err(), "it repeats an event that is taken back");
    // As the threads do at the end.
    let turn = Arc::clone(&writer.turn);
    drop(writer);
    settling.join().unwrap();
    let mut turn = turn.take();
    let connection = &turn.ready().unwrap().connection;
    let events: i64 = connection.query_row("SELECT count(*) FROM event", [], |row| row.get(0)).unwrap();
    assert_eq!(events, 0);
}
