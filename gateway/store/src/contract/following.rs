//! Following the log of events.

use bytes::Bytes;
use postroom_core::{
    event::{Kind, MadeKind},
    id::EventId,
    limits::INLINE_BODY_BYTES_MAX,
};

use crate::{
    LogPart, Prune, Store, StoreError, TrackChange, TrackerMark,
    testing::{
        accept, changed, event_id,
        monitors::{alive, collection, incident, monitor, run, tracked, with_runs},
        new_event, received_at, waiting_for, with_body,
    },
};

fn of_kind(n: u32, kind: Kind) -> crate::NewEvent {
    changed(new_event(n, "k", &[]), |event| event.kind = kind)
}

async fn log_after(store: &dyn Store, position: i64, limit: usize) -> LogPart {
    store.log_after(position, limit).await.unwrap()
}

fn ids(part: &LogPart) -> Vec<EventId> {
    part.events.iter().map(|logged| logged.event.id).collect()
}

pub(crate) async fn the_log_gives_runs_and_backups_in_order_of_acceptance(store: &dyn Store) {
    let empty = log_after(store, 0, 9).await;
    assert_eq!((empty.events.len(), empty.last, empty.missing), (0, 0, 0));
    let large = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    accept(store, of_kind(3, Kind::Activity)).await;
    accept(store, new_event(2, "k", &["a"])).await;
    accept(store, of_kind(1, Kind::CollectionBackup)).await;
    accept(store, of_kind(5, Kind::Made(MadeKind::IncidentOpened))).await;
    accept(store, of_kind(6, "weather".parse().unwrap())).await;
    accept(store, with_body(new_event(4, "k", &[]), large)).await;
    accept(store, of_kind(7, Kind::Unrecognized)).await;

    let part = log_after(store, 0, 9).await;
    assert_eq!(ids(&part), [2, 1, 4].map(event_id));
    assert_eq!((part.last, part.missing), (7, 0), "the others are passed over");
    let seqs: Vec<i64> = part.events.iter().map(|logged| logged.seq).collect();
    assert_eq!(seqs, [2, 3, 6]);
    let bodies: Vec<_> = part.events.iter().map(|logged| logged.body.clone()).collect();
    assert_eq!(bodies, [Some(Bytes::from("body 2")), None, None], "small ones of runs");
    let stored = store.event(event_id(2)).await.unwrap().unwrap().event;
    assert_eq!(part.events[0].event, stored);
}

pub(crate) async fn a_part_of_the_log_says_where_to_go_on(store: &dyn Store) {
    for n in 1..=7 {
        let kind = if n % 3 == 0 { Kind::Activity } else { Kind::MonitorRun };
        accept(store, of_kind(n, kind)).await;
    }
    let mut found = Vec::new();
    let mut position = 0;
    loop {
        let part = log_after(store, position, 2).await;
        assert!(part.events.len() <= 2);
        if part.last == position {
            break;
        }
        found.extend(ids(&part));
        position = part.last;
    }
    assert_eq!(found, [1, 2, 4, 5, 7].map(event_id));
    assert_eq!(position, 7);
}

pub(crate) async fn every_event_is_in_the_log_of_all(store: &dyn Store) {
    let kinds = [Kind::Activity, Kind::MonitorRun, Kind::Unrecognized, Kind::Made(MadeKind::IncidentOpened)];
    for (n, kind) in (1..).zip(kinds) {
        accept(store, of_kind(n, kind)).await;
    }
    let part = store.events_after(1, 2).await.unwrap();
    assert_eq!((ids(&part), part.last, part.missing), ([2, 3].map(event_id).into(), 3, 0));
    let stored = store.event(event_id(2)).await.unwrap().unwrap().event;
    assert_eq!((&part.events[0].event, &part.events[0].body, part.events[0].seq), (&stored, &None, 2));
    let rest = store.events_after(part.last, 9).await.unwrap();
    assert_eq!((ids(&rest), rest.last), ([4].map(event_id).into(), 4));
    let nothing = store.events_after(rest.last, 9).await.unwrap();
    assert_eq!((nothing.events.len(), nothing.last), (0, 4));

    let before = Some(received_at(4));
    store.prune(Prune { events_before: before, limit: 9, ..Prune::default() }).await.unwrap();
    let part = store.events_after(0, 9).await.unwrap();
    assert_eq!(
        (ids(&part), part.last, part.missing),
        ([4].map(event_id).into(), 4, 3),
        "what is gone is counted"
    );
}

pub(crate) async fn numbers_without_an_event_are_counted(store: &dyn Store) {
    for n in 1..=5 {
        accept(store, new_event(n, "k", &[])).await;
    }
    let before = Some(received_at(4));
    store.prune(Prune { events_before: before, limit: 9, ..Prune::default() }).await.unwrap();
    let part = log_after(store, 1, 9).await;
    assert_eq!(ids(&part), [4, 5].map(event_id));
    assert_eq!((part.last, part.missing), (5, 2));
    store.prune(Prune { oldest: 9, limit: 9, ..Prune::default() }).await.unwrap();
    let part = log_after(store, 4, 9).await;
    assert_eq!((part.events.len(), part.last, part.missing), (0, 5, 1));
    assert_eq!(log_after(store, 5, 9).await.missing, 0);
}

pub(crate) async fn the_end_of_the_log_is_told(store: &dyn Store) {
    let mut end = store.log_end();
    assert_eq!(*end.borrow_and_update(), 0);
    accept(store, new_event(1, "k", &[])).await;
    end.changed().await.unwrap();
    assert_eq!(*end.borrow_and_update(), 1);
    store.accept(new_event(1, "k", &[])).await.unwrap_err();
    store.track(tracked(1)).await.unwrap();
    assert!(!end.has_changed().unwrap(), "no event came");
    store.track(TrackChange { events: vec![new_event(2, "k", &[])], ..tracked(1) }).await.unwrap();
    end.changed().await.unwrap();
    assert_eq!(*end.borrow_and_update(), 2);
}

pub(crate) async fn what_following_has_come_to_is_kept(store: &dyn Store) {
    assert_eq!(store.tracker().await.unwrap(), TrackerMark::default());
    let made = changed(new_event(2, "postroom:tracker:m", &["a", "b"]), |event| {
        event.kind = Kind::Made(MadeKind::IncidentOpened);
        event.hops = 1;
    });
    let change = TrackChange {
        position: Some(7),
        alive: alive(5_000),
        monitors: vec![with_runs(monitor("m"), vec![run(1)])],
        incidents: vec![incident(1, "m", None)],
        collections: vec![crate::CollectionChange { watch: collection("c", 1), due_at: None }],
        forgotten: vec![],
        events: vec![made.clone()],
    };
    store.track(change).await.unwrap();
    let mark = |position, ms| TrackerMark { position, alive: Some(alive(ms)) };
    assert_eq!(store.tracker().await.unwrap(), mark(7, 5_000));
    let known = store.monitors_by_uid(vec!["m".to_owned()]).await.unwrap();
    assert_eq!(known.iter().map(|row| &row.monitor).collect::<Vec<_>>(), [&monitor("m")]);
    assert!(store.incident(incident(1, "m", None).id).await.unwrap().is_some());
    assert_eq!(store.collections_by_uid(vec!["c".to_owned()]).await.unwrap(), [collection("c", 1)]);
    let event = store.event(event_id(2)).await.unwrap().unwrap();
    assert_eq!(event.event, *made.event);
    let waiting: Vec<_> = [waiting_for(store, "a").await, waiting_for(store, "b").await].concat();
    assert_eq!(waiting, event.deliveries.iter().map(|delivery| delivery.id).collect::<Vec<_>>());

    store.track(tracked(6_000)).await.unwrap();
    assert_eq!(store.tracker().await.unwrap(), mark(7, 6_000), "without a position it stays");
}

pub(crate) async fn a_change_with_an_event_that_is_refused_changes_nothing(store: &dyn Store) {
    accept(store, new_event(1, "k", &[])).await;
    let end = store.log_end();
    let change = TrackChange {
        position: Some(7),
        monitors: vec![with_runs(monitor("m"), vec![run(1)])],
        events: vec![new_event(2, "k", &["a"]), new_event(1, "k", &["a"])],
        ..tracked(1)
    };
    let refused = store.track(change).await;
    assert!(matches!(refused, Err(StoreError::Duplicate { event }) if event == event_id(1)), "{refused:?}");
    assert_eq!(store.tracker().await.unwrap(), TrackerMark::default());
    assert!(store.monitors_by_uid(vec!["m".to_owned()]).await.unwrap().is_empty());
    assert!(store.event(event_id(2)).await.unwrap().is_none());
    assert!(waiting_for(store, "a").await.is_empty());
    assert_eq!(*end.borrow(), 1, "the number that was taken back is free");
    accept(store, new_event(3, "k", &[])).await;
    assert_eq!(ids(&log_after(store, 1, 9).await), [event_id(3)]);
}
