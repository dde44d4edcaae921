//! Retention.

use postroom_core::{delivery::DeliveryState, limits::INLINE_BODY_BYTES_MAX, replay::ReplayState};

use crate::{
    DeliveryFilter, EventFilter, NewReplay, Prune, Pruned, RetryAnswer, Store,
    testing::{
        accept, at, body, change, destination, event_id, finished, new_event, page, waiting, with_body,
    },
};

/// Prunes until there is no more to find, and gives the sum.
async fn prune(store: &dyn Store, prune: Prune) -> Pruned {
    let mut sum = Pruned::default();
    loop {
        let one = store.prune(prune.clone()).await.unwrap();
        sum.events += one.events;
        sum.deliveries += one.deliveries;
        sum.marks += one.marks;
        sum.replays += one.replays;
        sum.blobs += one.blobs;
        sum.blob_bytes += one.blob_bytes;
        if !one.more {
            return sum;
        }
    }
}

fn older_than(ms: i64) -> Prune {
    Prune { events_before: Some(at(ms)), limit: 2, ..Prune::default() }
}

/// Event numbers that are there, oldest first.
async fn events(store: &dyn Store) -> Vec<u32> {
    let listed = store.events(EventFilter::default(), page(None, 999)).await.unwrap();
    let number = |id| (1..99).find(|n| event_id(*n) == id).unwrap();
    listed.items.iter().rev().map(|record| number(record.event.id)).collect()
}

pub(crate) async fn what_is_old_goes_with_all_that_belongs_to_it(store: &dyn Store) {
    let mut ids = Vec::new();
    for n in 1..=5 {
        let new = new_event(n, "k", &["a", "b"]);
        ids.extend(finished(store, new, DeliveryState::Delivered, 1_000 + i64::from(n)).await);
    }
    let pruned = prune(store, older_than(1_004)).await;
    assert_eq!((pruned.events, pruned.deliveries), (3, 6));
    assert_eq!(events(store).await, [4, 5]);
    assert!(store.body(event_id(1)).await.unwrap().is_none());
    assert!(store.delivery(ids[0]).await.unwrap().is_none());
    let left = store.deliveries(DeliveryFilter::default(), page(None, 99)).await.unwrap();
    assert_eq!(left.items.len(), 4);
    assert_eq!(prune(store, older_than(1_004)).await, Pruned::default());
    assert_eq!(prune(store, Prune { limit: 9, ..Prune::default() }).await, Pruned::default());
}

pub(crate) async fn what_waits_never_goes(store: &dyn Store) {
    for (n, state) in (1..).zip([DeliveryState::Pending, DeliveryState::Retrying]) {
        let ids = accept(store, new_event(n, "k", &["a", "b"])).await;
        store.record(vec![change(ids[0], DeliveryState::Delivered), change(ids[1], state)]).await.unwrap();
    }
    let before = waiting(store).await;
    let all = Prune { dead_before: Some(at(99_000)), oldest: 9, ..older_than(99_000) };
    assert_eq!(prune(store, all.clone()).await, Pruned::default());
    assert_eq!(waiting(store).await, before);
    let done = before.iter().map(|id| change(*id, DeliveryState::Delivered)).collect();
    store.record(done).await.unwrap();
    assert_eq!(prune(store, all).await.events, 2);
}

pub(crate) async fn dead_letters_have_a_bound_of_their_own(store: &dyn Store) {
    let ids = accept(store, new_event(1, "k", &["a", "b"])).await;
    let states = [DeliveryState::Delivered, DeliveryState::Dead];
    store.record(ids.iter().zip(states).map(|(id, state)| change(*id, state)).collect()).await.unwrap();
    finished(store, new_event(2, "k", &["a"]), DeliveryState::Cancelled, 2_000).await;
    finished(store, new_event(3, "k", &[]), DeliveryState::Delivered, 2_000).await;
    assert_eq!(prune(store, older_than(99_000)).await.events, 2);
    assert_eq!(events(store).await, [1]);
    let dead_before = |ms| Prune { dead_before: Some(at(ms)), limit: 9, ..Prune::default() };
    assert_eq!(prune(store, dead_before(9_000)).await.events, 0, "it died at 9000");
    assert_eq!(prune(store, dead_before(9_001)).await.events, 1);
}

pub(crate) async fn an_age_begins_when_the_last_delivery_ended(store: &dyn Store) {
    let id = finished(store, new_event(1, "k", &["a"]), DeliveryState::Delivered, 5_000).await[0];
    assert_eq!(prune(store, older_than(5_000)).await.events, 0);
    let RetryAnswer::Made(made) = store.retry(id, at(6_000)).await.unwrap() else { panic!("it is final") };
    assert_eq!(prune(store, older_than(99_000)).await.events, 0, "one waits again");
    let change = crate::DeliveryChange { at: at(7_000), ..change(made, DeliveryState::Delivered) };
    store.record(vec![change]).await.unwrap();
    assert_eq!(prune(store, older_than(7_000)).await.events, 0);
    let pruned = prune(store, older_than(7_001)).await;
    assert_eq!((pruned.events, pruned.deliveries), (1, 2));
}

pub(crate) async fn for_room_the_oldest_go_first_and_dead_letters_last(store: &dyn Store) {
    let states =
        [DeliveryState::Dead, DeliveryState::Delivered, DeliveryState::Skipped, DeliveryState::Delivered];
    for (n, state) in (1..).zip(states) {
        finished(store, new_event(n, "k", &["a"]), state, 2_000).await;
    }
    accept(store, new_event(5, "k", &["a"])).await;
    for (oldest, left) in [(1, &[1, 3, 4, 5][..]), (2, &[1, 5]), (1, &[5]), (1, &[5])] {
        let mut to_go = oldest;
        while to_go > 0 {
            let pruned = store.prune(Prune { oldest: to_go, limit: 1, ..Prune::default() }).await.unwrap();
            to_go -= usize::try_from(pruned.events).unwrap();
            if !pruned.more {
                break;
            }
        }
        assert_eq!(events(store).await, left);
        // The room is enough again.
        store.prune(Prune { limit: 1, ..Prune::default() }).await.unwrap();
    }
}

pub(crate) async fn a_chunk_for_room_says_whether_anything_else_may_go(store: &dyn Store) {
    for (n, state) in (1..).zip([DeliveryState::Delivered, DeliveryState::Delivered, DeliveryState::Dead]) {
        finished(store, new_event(n, "k", &["a"]), state, 2_000).await;
    }
    accept(store, new_event(4, "k", &["a"])).await;
    // What else there is to look through is not what is asked about.
    prune(store, Prune { limit: 9, ..Prune::default() }).await;
    let one = Prune { oldest: 1, limit: 9, ..Prune::default() };
    let mut removed = 0;
    while removed < 3 {
        let pruned = store.prune(one.clone()).await.unwrap();
        removed += pruned.events;
        assert!(pruned.more || removed == 3, "{removed} of 3");
    }
    assert_eq!(prune(store, one).await.events, 0, "it comes to its end");
    assert_eq!(events(store).await, [4]);
}

pub(crate) async fn chunks_are_small_and_say_whether_there_is_more(store: &dyn Store) {
    for n in 1..=5 {
        finished(store, new_event(n, "k", &["a"]), DeliveryState::Delivered, 2_000).await;
    }
    let mut chunks = Vec::new();
    loop {
        let pruned = store.prune(older_than(9_000)).await.unwrap();
        chunks.push(pruned.events);
        if !pruned.more {
            break;
        }
    }
    chunks.retain(|events| *events > 0);
    assert_eq!(chunks, [2, 2, 1]);
}

pub(crate) async fn a_body_stays_while_an_event_names_it(store: &dyn Store) {
    let large = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    for n in 1..=3 {
        let new = with_body(new_event(n, "k", &["a"]), large.clone());
        finished(store, new, DeliveryState::Delivered, 1_000 + i64::from(n)).await;
    }
    let pruned = prune(store, older_than(1_003)).await;
    assert_eq!((pruned.events, pruned.blobs), (2, 0));
    assert_eq!(body(store, 3).await, large);
    let (pruned, again) = tokio::join!(
        prune(store, older_than(9_000)),
        accept(store, with_body(new_event(4, "k", &["a"]), large.clone())),
    );
    assert_eq!(pruned.events, 1);
    assert_eq!(again.len(), 1);
    assert_eq!(body(store, 4).await, large, "a body on its way in keeps its file");
    store.record(vec![change(again[0], DeliveryState::Delivered)]).await.unwrap();
    let last = prune(store, older_than(99_000)).await;
    assert_eq!((last.events, last.blobs, last.blob_bytes), (1, 1, large.len() as u64));
    assert_eq!(store.usage().await.unwrap().blob_bytes, 0);
}

pub(crate) async fn replays_go_with_age_and_running_ones_stay(store: &dyn Store) {
    let id = finished(store, new_event(1, "k", &["a"]), DeliveryState::Dead, 2_000).await[0];
    let new = NewReplay {
        filter: DeliveryFilter::default(),
        destinations: vec![destination("a")],
        per_second: 1,
        count: 1,
        final_by: at(3_000),
        by: "ann".to_owned(),
        at: at(3_000),
    };
    let done = store.begin_replay(new.clone()).await.unwrap();
    let done = store.advance_replay(done.id, 9, at(4_000)).await.unwrap().unwrap();
    assert_eq!(done.state, ReplayState::Done);
    let running = store.begin_replay(new).await.unwrap();
    let before = |ms| Prune { replays_before: Some(at(ms)), limit: 9, ..Prune::default() };
    assert_eq!(prune(store, before(4_000)).await.replays, 0);
    assert_eq!(prune(store, before(99_000)).await.replays, 1);
    assert_eq!(store.running_replays().await.unwrap(), [running]);
    assert!(store.replay(done.id).await.unwrap().is_none());
    let made = store.deliveries(DeliveryFilter::default(), page(None, 1)).await.unwrap().items;
    assert_eq!((made[0].replay_of, made[0].replay), (Some(id), Some(done.id)), "what it made stays");
}

pub(crate) async fn numbers_are_never_given_again(store: &dyn Store) {
    let last = finished(store, new_event(1, "k", &["a"]), DeliveryState::Delivered, 2_000).await[0];
    assert_eq!(prune(store, older_than(9_000)).await.events, 1);
    assert!(accept(store, new_event(2, "k", &["a"])).await[0] > last);
}

pub(crate) async fn usage_follows_what_is_kept(store: &dyn Store) {
    let empty = store.usage().await.unwrap();
    assert_eq!(empty.blob_bytes, 0);
    let large = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    for n in 1..=40 {
        let sent = if n <= 2 { large.clone() } else { vec![b'y'; INLINE_BODY_BYTES_MAX] };
        finished(store, with_body(new_event(n, "k", &["a"]), sent), DeliveryState::Delivered, 2_000).await;
    }
    let full = store.usage().await.unwrap();
    assert_eq!(full.blob_bytes, large.len() as u64, "equal bodies are kept once");
    assert!(full.database_bytes > empty.database_bytes + 38 * INLINE_BODY_BYTES_MAX as u64);
    prune(store, older_than(99_000)).await;
    let after = store.usage().await.unwrap();
    assert_eq!(after.blob_bytes, 0);
    assert!(after.database_bytes < full.database_bytes / 2, "{after:?}");
}
