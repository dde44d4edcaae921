use std::{fmt::Write as _, time::Duration};

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DeliveryId, EventId},
    outcome::{Outcome, OutcomeKind},
};

use super::*;
use crate::{
    AttemptRecord, DeliveryFilter, DeliveryRecord, EventFilter, IncidentFilter, MonitorFilter, Store,
    TrackerMark,
    sqlite::tests::Scratch,
    testing::{accept, at, lane, new_event, page, waiting},
};

/// A database as version 1 wrote it. Every later version must open it.
const V1: &str = include_str!("v1.sql");

/// The events in it.
fn v1_event(n: u8) -> EventId {
    let mut bytes = [7; 16];
    bytes[..4].copy_from_slice(&[0, 0, 0, n]);
    EventId::from_bytes(bytes)
}

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
    let record = store.event(v1_event(1)).await.unwrap().unwrap();
    assert_eq!((record.event.kind, record.event.body_bytes), (Kind::MonitorRun, 10));
    assert_eq!(record.event.facts.monitor_name.as_deref(), Some("Night run"));
    assert_eq!(record.event.labels["team"], "payments");
    assert!(record.explanations[0].matched && record.explanations[0].reasons[0].holds);
    assert_eq!(store.body(v1_event(1)).await.unwrap().unwrap().read().await.unwrap(), r#"{"run": 1}"#);
    assert!(store.event(v1_event(2)).await.unwrap().unwrap().event.note.is_some());

    let delivered = store.delivery(record.deliveries[0].id).await.unwrap().unwrap();
    assert_eq!(delivered.delivery.state, DeliveryState::Delivered);
    let kinds: Vec<_> = delivered.attempts.iter().map(|(_, attempt)| attempt.outcome.kind).collect();
    assert_eq!(kinds, [OutcomeKind::RateLimited, OutcomeKind::Delivered]);
    let retrying = &record.deliveries[1];
    assert_eq!((retrying.state, retrying.attempts), (DeliveryState::Retrying, 1));
    assert_eq!(waiting(&store).await, [retrying.id]);
    assert_eq!(accept(&store, new_event(3, "k", &["d"])).await[0].get(), 8, "numbers are never used again");
}

/// Deliveries in every state with every number of attempts up to three, each attempt unlike the others, by the schema
/// of version 1.
fn v1_deliveries() -> String {
    let mut sql = include_str!("../migrations/0001_initial.sql").to_owned();
    sql.push_str(
        "PRAGMA application_id = 1349735021; PRAGMA user_version = 1;
         INSERT INTO event (id, received_at, source, kind, ordering_key, classifier, facts, labels, explanations,
                            body_bytes, blob)
         VALUES (x'00000001070707070707070707070707', 5, 'acme', 'activity', 'k', 1, '{}', '{}', '[]', 40000,
                 zeroblob(32)),
                (x'00000002070707070707070707070707', 6, 'acme', 'activity', 'k', 1, '{}', '{}', '[]', 40000,
                 zeroblob(32));",
    );
    for (state, id) in DeliveryState::ALL.into_iter().zip((1..).step_by(4)) {
        for attempts in 0..4 {
            let (id, finished_at) = (id + attempts, if state.is_final() { "900" } else { "NULL" });
            write!(
                sql,
                "INSERT INTO delivery VALUES ({id}, x'00000001070707070707070707070707', 'd', 'r', 'k', '{state}',
                                              {attempts}, {attempts}, 80, {id}, {finished_at});"
            )
            .unwrap();
            for number in 1..=attempts {
                write!(
                    sql,
                    "INSERT INTO attempt
                     VALUES ({id}, {number}, {id}{number}, 700, 'retry', {number}, 'c{number}', 'm{id}', '{{}}');"
                )
                .unwrap();
            }
        }
    }
    sql
}

#[tokio::test]
async fn a_migration_loses_no_delivery_and_no_attempt() {
    let scratch = scratch_with(&v1_deliveries());
    let store = scratch.store();
    for (state, first) in DeliveryState::ALL.into_iter().zip((1..).step_by(4)) {
        for attempts in 0..4_u32 {
            let id = first + i64::from(attempts);
            let detail = store.delivery(DeliveryId::new(id)).await.unwrap().unwrap();
            let DeliveryRecord { created_at, due, finished_at, .. } = detail.delivery;
            assert_eq!((detail.delivery.state, detail.delivery.attempts), (state, attempts));
            assert_eq!((created_at, due), (at(id), Some(at(80))));
            assert_eq!(finished_at, state.is_final().then_some(at(900)));
            let attempt = |number: u32| AttemptRecord {
                started_at: at(format!("{id}{number}").parse().unwrap()),
                finished_at: at(700),
                outcome: Outcome {
                    kind: OutcomeKind::Retry,
                    retry_after: Some(Duration::from_millis(number.into())),
                    code: format!("c{number}"),
                    message: format!("m{id}"),
                    record_json: Some("{}".to_owned()),
                },
            };
            assert_eq!(detail.attempts, (1..=attempts).map(|n| (n, attempt(n))).collect::<Vec<_>>());
            let code = detail.delivery.last_outcome.map(|outcome| outcome.code);
            assert_eq!(code, (attempts > 0).then(|| format!("c{attempts}")));
        }
    }
    // By time, and how much room bodies take, are answered by tables that version 1 did not have.
    let since = DeliveryFilter { since: Some(at(27)), ..DeliveryFilter::default() };
    let found = store.deliveries(since, page(None, 99)).await.unwrap().items;
    assert_eq!(found.iter().map(|record| record.id.get()).collect::<Vec<_>>(), [28, 27]);
    assert_eq!(store.usage().await.unwrap().blob_bytes, 40_000, "two events share it");
    let in_lane = store.waiting_in_lane(lane("d", "k"), None, 99).await.unwrap();
    let ids: Vec<i64> = in_lane.iter().map(|ticket| ticket.id.get()).collect();
    assert_eq!(ids, (1..=8).collect::<Vec<_>>(), "pending and retrying, over several segments");
    let about = EventFilter { kind: Some(Kind::Activity), ..EventFilter::default() };
    assert_eq!(store.events(about, page(None, 99)).await.unwrap().items.len(), 2);
}

#[tokio::test]
async fn what_was_repeated_before_chains_were_kept_is_a_chain_now() {
    let mut sql = include_str!("../migrations/0001_initial.sql").to_owned();
    sql.push_str(include_str!("../migrations/0002_replay_and_retention.sql"));
    sql.push_str(
        "PRAGMA application_id = 1349735021; PRAGMA user_version = 2;
         INSERT INTO event (id, received_at, source, kind, ordering_key, classifier, facts, labels, explanations,
                            body_bytes, body)
         VALUES (x'00000001070707070707070707070707', 5, 'acme', 'activity', 'k', 1, '{}', '{}', '[]', 1, x'20'),
                (x'00000002070707070707070707070707', 6, 'acme', 'activity', 'k', 1, '{}', '{}', '[]', 1, x'20');
         INSERT INTO replay (filter, destinations, per_second, matched, up_to, state, by, created_at)
         VALUES ('{}', '[\"a\"]', 1, 2, 8, 'running', 'ann', 901);",
    );
    // Two of the first one, and one of the second of these.
    let deliveries = [(1, 1, "a", None), (2, 1, "b", None), (3, 2, "a", None)].into_iter().chain([
        (4, 1, "a", Some(1)),
        (5, 1, "a", Some(1)),
        (6, 1, "b", Some(2)),
        (7, 1, "a", Some(5)),
    ]);
    for (id, event, destination, replay_of) in deliveries {
        let replay_of = replay_of.map_or("NULL".to_owned(), |of: i64| of.to_string());
        write!(
            sql,
            "INSERT INTO delivery (id, event, destination, route, lane, state, created_at, finished_at, replay_of)
             VALUES ({id}, x'0000000{event}070707070707070707070707', '{destination}', 'r', 'k', 'dead', 7, 900,
                     {replay_of});"
        )
        .unwrap();
    }
    let scratch = scratch_with(&sql);
    let store = scratch.store();
    let replayed_by = |id: i64| {
        let found = store.delivery(DeliveryId::new(id));
        async { found.await.unwrap().unwrap().delivery.replayed_by.map(DeliveryId::get) }
    };
    for (id, by) in [(1, Some(4)), (4, Some(5)), (5, Some(7)), (7, None), (2, Some(6)), (6, None), (3, None)]
    {
        assert_eq!(replayed_by(id).await, by, "{id}");
    }
    let replay = store.running_replays().await.unwrap().remove(0);
    let replay = store.advance_replay(replay.id, 9, at(902)).await.unwrap().unwrap();
    assert_eq!(replay.made, 2, "the newest of each chain");
}

#[tokio::test]
async fn the_log_of_an_old_database_is_followed_from_its_oldest_event() {
    let scratch = scratch_with(V1);
    let store = scratch.store();
    assert_eq!(store.tracker().await.unwrap(), TrackerMark::default());
    let end = *store.log_end().borrow();
    let part = store.log_after(0, 99).await.unwrap();
    assert_eq!((part.events[0].event.id, part.last), (v1_event(1), end));
    assert_eq!(part.events[0].body.as_deref(), Some(&br#"{"run": 1}"#[..]));
    assert!(store.monitors(MonitorFilter::default(), page(None, 9)).await.unwrap().items.is_empty());
    assert!(store.incidents(IncidentFilter::default(), page(None, 9)).await.unwrap().items.is_empty());
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
