//! What each delivery costs: statements are counted as SQLite runs them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use postroom_core::outcome::OutcomeKind;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use super::*;
use crate::{
    DeliveryChange, MonitorChange, NewBody, NewEvent, TrackChange,
    sqlite::{
        bodies::StoredBody,
        change::{Changes, EventRow, Tracking},
    },
    testing::{
        attempt,
        monitors::{monitor, named, run, tracked, with_runs},
    },
};

/// The connection of a writer, and how many statements it has run.
struct Counted {
    connection: Connection,
    statements: Arc<AtomicUsize>,
}

impl Counted {
    fn open(scratch: &Scratch) -> Self {
        drop(scratch.open());
        let mut connection = open::writer(&scratch.path(), &log::System).unwrap();
        let statements = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&statements);
        let count = move |event: TraceEvent<'_>| {
            if let TraceEvent::Stmt(..) = event {
                counter.fetch_add(1, Ordering::Relaxed);
            }
        };
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count)).unwrap();
        Self { connection, statements }
    }

    /// Runs `change` in a transaction of its own and gives how many statements it took and how many rows it wrote.
    fn cost(&mut self, change: impl FnOnce(&mut Changes<'_>)) -> (usize, u64) {
        let transaction = self.connection.transaction().unwrap();
        let mut changes = Changes::prepare(&transaction).unwrap();
        let (statements, rows) = (self.statements.load(Ordering::Relaxed), transaction.total_changes());
        change(&mut changes);
        let cost = (self.statements.load(Ordering::Relaxed) - statements, transaction.total_changes() - rows);
        drop(changes);
        transaction.commit().unwrap();
        cost
    }

    fn accept(&mut self, n: u32, targets: &[&str]) -> (usize, u64) {
        let NewEvent { event, body, targets, explanations, mark } = new_event(n, "k", targets);
        let NewBody::Inline(body) = body else { unreachable!("it is small") };
        let row = EventRow::new(event, StoredBody::Inline(body), targets, &explanations, mark);
        self.cost(|changes| drop(changes.accept(&row, &mut Vec::new()).unwrap()))
    }

    fn track(&mut self, monitors: Vec<MonitorChange>) -> (usize, u64) {
        let tracking = Tracking { change: TrackChange { monitors, ..tracked(1) }, events: vec![] };
        self.cost(|changes| changes.track(&tracking, &mut Vec::new()).unwrap())
    }

    fn settle(&mut self, id: i64, attempts: u32, state: DeliveryState, kind: OutcomeKind) -> (usize, u64) {
        let change = DeliveryChange {
            attempts: Some(attempts),
            attempt: Some(attempt(i64::from(attempts), kind)),
            ..change(DeliveryId::new(id), state)
        };
        self.cost(|changes| changes.record(&[change]).unwrap())
    }
}

#[test]
fn a_delivery_costs_one_statement_at_intake_and_one_for_its_outcome() {
    use DeliveryState::{Delivered, Pending, Retrying};

    let scratch = Scratch::new();
    let mut counted = Counted::open(&scratch);
    assert_eq!(counted.accept(1, &[]), (1, 1), "an event");
    assert_eq!(counted.accept(2, &["a"]), (2, 2), "an event and its delivery");
    assert_eq!(counted.accept(3, &["a", "b", "c"]), (4, 4));

    assert_eq!(counted.settle(1, 1, Delivered, OutcomeKind::Delivered), (1, 1), "delivered at once");
    let failure = counted.settle(2, 1, Retrying, OutcomeKind::Retry);
    assert_eq!(failure, (1, 1), "a first failure costs no more than a success");
    // The attempt before makes room: it is looked up and moved, then the row is updated.
    let later = counted.settle(2, 2, Delivered, OutcomeKind::Delivered);
    assert_eq!(later, (3, 2), "a later attempt adds the row of the one before");
    // That an attempt which does not count came before is found by the update, which then does nothing.
    assert_eq!(counted.settle(3, 0, Pending, OutcomeKind::RateLimited), (1, 1));
    assert_eq!(counted.settle(3, 1, Delivered, OutcomeKind::Delivered), (4, 2));
}

#[test]
fn a_run_costs_a_look_at_its_monitor_and_one_row() {
    let scratch = Scratch::new();
    let mut counted = Counted::open(&scratch);
    let change = |uid: &str, runs: std::ops::Range<u32>| with_runs(monitor(uid), runs.map(run).collect());
    // Each change keeps the position too.
    assert_eq!(counted.track(vec![]), (1, 1));
    assert_eq!(counted.track(vec![change("a", 0..1)]), (4, 3), "of a new monitor");
    assert_eq!(counted.track(vec![change("a", 1..2)]), (3, 2));
    assert_eq!(counted.track(vec![change("a", 2..62), change("b", 0..0)]), (6, 4), "however many runs");
    assert_eq!(counted.track(vec![change("a", 62..63), change("b", 0..1)]), (5, 3));
    assert_eq!(counted.track(vec![change("a", 63..64)]), (4, 3), "a chunk is full");
    assert_eq!(counted.track(vec![with_runs(named("a", "x"), vec![])]), (4, 3), "a new name");
}
