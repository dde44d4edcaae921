use postroom_core::{delivery::DeliveryState, event::Kind, outcome::OutcomeKind};

use super::*;
use crate::{
    Store,
    sqlite::tests::Scratch,
    testing::{accept, event_id, new_event, waiting},
};

/// A database as version 1 wrote it. Every later version must open it.
const V1: &str = include_str!("v1.sql");

fn scratch_with(sql: &str) -> Scratch {
    let scratch = Scratch::new();
    std::fs::create_dir(scratch.path().parent().unwrap()).unwrap();
    Connection::open(scratch.path()).unwrap().execute_batch(sql).unwrap();
    scratch
}

fn schema(scratch: &Scratch) -> Vec<String> {
    let connection = Connection::open(scratch.path()).unwrap();
    let mut statement =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_database_of_version_1_opens_with_all_that_is_in_it() {
    let scratch = scratch_with(V1);
    let store = scratch.store();
    let record = store.event(event_id(1)).await.unwrap().unwrap();
    assert_eq!((record.event.kind, record.event.body_bytes), (Kind::MonitorRun, 10));
    assert_eq!(record.event.facts.monitor_name.as_deref(), Some("Night run"));
    assert_eq!(record.event.labels["team"], "payments");
    assert!(record.explanations[0].matched && record.explanations[0].reasons[0].holds);
    assert_eq!(store.body(event_id(1)).await.unwrap().unwrap(), r#"{"run": 1}"#);
    assert!(store.event(event_id(2)).await.unwrap().unwrap().event.note.is_some());

    let delivered = store.delivery(record.deliveries[0].id).await.unwrap().unwrap();
    assert_eq!(delivered.delivery.state, DeliveryState::Delivered);
    let kinds: Vec<_> = delivered.attempts.iter().map(|(_, attempt)| attempt.outcome.kind).collect();
    assert_eq!(kinds, [OutcomeKind::RateLimited, OutcomeKind::Delivered]);
    let retrying = &record.deliveries[1];
    assert_eq!((retrying.state, retrying.attempts), (DeliveryState::Retrying, 1));
    assert_eq!(waiting(&store).await, [retrying.id]);
    assert_eq!(accept(&store, new_event(3, "k", &["d"])).await[0].get(), 8, "numbers are never used again");
}

#[test]
fn an_old_database_and_a_fresh_one_end_with_the_same_schema() {
    let (old, fresh) = (scratch_with(V1), Scratch::new());
    drop((old.store(), fresh.store()));
    assert_eq!(schema(&old), schema(&fresh));
}

#[test]
fn a_step_that_fails_leaves_nothing_behind() {
    let mut connection = Connection::open_in_memory().unwrap();
    connection.execute_batch("CREATE TEMP TABLE delivery (x)").unwrap();
    // The index on `delivery` now meets a table without its columns.
    assert!(matches!(migrate(&mut connection), Err(MigrateError::Sqlite(_))));
    assert_eq!(version(&connection).unwrap(), 0);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0);
}
