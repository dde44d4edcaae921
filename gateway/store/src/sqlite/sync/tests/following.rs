//! Whoever follows the log of events, on a disk that fails.

use postroom_core::id::EventId;

use super::*;
use crate::{
    MonitorFilter, RunRange, TrackChange, TrackerMark,
    testing::{
        monitors::{alive, incident, monitor, run, runs, tracked, with_runs},
        page,
    },
};

async fn log_after(store: &SqliteStore, position: i64) -> (Vec<EventId>, i64, u64) {
    let part = store.log_after(position, 9).await.unwrap();
    (part.events.iter().map(|logged| logged.event.id).collect(), part.last, part.missing)
}

#[tokio::test]
async fn an_event_is_not_in_the_log_before_it_is_on_disk() {
    let scratch = Scratch::new();
    let ((store, ..), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &["d"])).await;
    let mut end = store.log_end();
    end.mark_unchanged();
    disk.set(|state| state.is_held = true);
    let mut accepting = store.accept(new_event(2, "k", &[]));
    assert!(begin(&mut accepting).await.is_pending());
    while store.event(event_id(2)).await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(log_after(&store, 0).await, (vec![event_id(1)], 1, 0), "a crash can take back the second");
    assert!(!end.has_changed().unwrap());
    disk.set(|state| state.is_held = false);
    end.changed().await.unwrap();
    assert_eq!(*end.borrow_and_update(), 2);
    assert_eq!(log_after(&store, 1).await, (vec![event_id(2)], 2, 0), "whoever hears of it finds it");
    accepting.await.unwrap();
}

#[tokio::test]
async fn an_event_that_was_refused_is_never_in_the_log() {
    let scratch = Scratch::new();
    let ((store, ..), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &[])).await;
    disk.fail(usize::MAX);
    assert!(store.accept(new_event(2, "k", &[])).await.is_err());
    assert!(store.event(event_id(2)).await.unwrap().is_some(), "it is still there to be seen");
    assert_eq!(log_after(&store, 0).await, (vec![event_id(1)], 1, 0));
    assert!(store.tracker().await.is_err(), "nobody begins on what may be taken back");
    disk.fail(0);
    until_it_goes_on(&store).await;
    accept(&store, new_event(3, "k", &[])).await;
    assert_eq!(log_after(&store, 0).await, (vec![event_id(1), event_id(3)], 3, 1));
}

fn change() -> TrackChange {
    TrackChange {
        position: Some(1),
        monitors: vec![with_runs(monitor("m"), vec![run(1)])],
        incidents: vec![incident(1, "m", None)],
        events: vec![new_event(2, "k", &["d"])],
        ..tracked(5)
    }
}

/// Whether the change happened. All that it is made of must agree.
async fn has_happened(store: &SqliteStore) -> bool {
    let happened = store.tracker().await.unwrap() != TrackerMark::default();
    let monitors = store.monitors(MonitorFilter::default(), page(None, 9)).await.unwrap().items.len();
    let runs = runs(store, "m", RunRange::ALL).await.len();
    let incidents = store.incidents(Default::default(), page(None, 9)).await.unwrap().items.len();
    let events = usize::from(store.event(event_id(2)).await.unwrap().is_some());
    assert_eq!([monitors, runs, incidents, events], [usize::from(happened); 4]);
    happened
}

#[tokio::test]
async fn a_refused_change_that_the_disk_has_stays_as_a_whole() {
    let scratch = Scratch::new();
    let ((store, mut feed, highest), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &[])).await;
    let end = store.log_end();
    refuse(&store, &disk, store.track(change())).await;
    assert!(has_happened(&store).await);
    assert_eq!(store.tracker().await.unwrap(), TrackerMark { position: 1, alive: Some(alive(5)) });
    assert!(feed.try_recv().is_err(), "it was not told of");
    let waiting = waiting_now(&store).await;
    assert_eq!((waiting.len(), *highest.borrow()), (1, waiting.last().copied()), "but the mark makes look");
    assert_eq!(*end.borrow(), 2);
    assert_eq!(log_after(&store, 1).await, (vec![event_id(2)], 2, 0));
}

#[tokio::test]
async fn a_refused_change_that_the_disk_has_lost_is_gone_as_a_whole() {
    let scratch = Scratch::new();
    let ((store, ..), disk) = open(&scratch);
    accept(&store, new_event(1, "k", &[])).await;
    disk.set(|state| (state.failures, state.lossy) = (1, Some(log(&scratch))));
    let refused = store.track(change()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    until_it_goes_on(&store).await;
    assert!(!has_happened(&store).await);
    assert_eq!(log_after(&store, 0).await, (vec![event_id(1)], 1, 0));
    store.track(change()).await.unwrap();
    assert!(has_happened(&store).await);
    drop(store);
    assert!(has_happened(&scratch.store()).await);
}
