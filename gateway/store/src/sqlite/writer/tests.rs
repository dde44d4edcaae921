use postroom_core::delivery::DeliveryState;

use super::*;
use crate::{
    NewEvent,
    sqlite::{change::StoredBody, open, tests::Scratch},
    testing::{change, event_id, new_event, with_body},
};

/// A writer without its thread: each commit has exactly the requests that a test gives it.
struct Bench {
    writer: Writer,
    feed: mpsc::Receiver<Committed>,
    highest: watch::Receiver<Option<DeliveryId>>,
    scratch: Scratch,
}

impl Bench {
    fn new(feed_commits_max: usize) -> Self {
        let scratch = Scratch::new();
        let _lock = open::Lock::take(&scratch.path()).unwrap();
        let connection = open::writer(&scratch.path()).unwrap();
        let (feed, commits) = mpsc::channel(feed_commits_max);
        let (mark, highest) = watch::channel(None);
        let writer = Writer::new(connection, scratch.path().into(), feed, mark);
        Self { writer, feed: commits, highest, scratch }
    }

    fn commit(&mut self, works: impl IntoIterator<Item = Work>) -> Vec<Answer> {
        let (mut batch, mut answers) = (Vec::new(), Vec::new());
        for work in works {
            let (answer, answered) = oneshot::channel();
            batch.push(Request { work, answer });
            answers.push(answered);
        }
        self.writer.commit(&mut batch);
        assert!(batch.is_empty());
        answers.into_iter().map(|mut answered| answered.try_recv().unwrap()).collect()
    }

    fn limit_pages(&self, pages: i64) {
        self.writer.connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
    }

    fn count(&self, table: &str) -> i64 {
        let connection = open::reader(&self.scratch.path()).unwrap();
        connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

fn accept(new: NewEvent) -> Work {
    let body = StoredBody::Inline(new.body.clone());
    Work::Accept(Box::new(EventRow::new(new, body)))
}

fn record(id: i64, state: DeliveryState) -> Work {
    Work::Record(vec![change(DeliveryId::new(id), state)])
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
        let answers = bench.commit([small(), record(1, DeliveryState::Dead), large(3), large(4), small()]);
        assert_eq!(answers.len(), 5);
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
