//! Replays.

use postroom_core::{
    delivery::DeliveryState,
    id::{DeliveryId, DestinationName, ReplayId, SourceName},
    replay::ReplayState,
};

use crate::{
    DeliveryFilter, NewReplay, PageRequest, Replay, Store,
    testing::{accept, at, change, changed, destination, finished, lane, new_event, page, waiting},
};

const STATES: [DeliveryState; 5] = [
    DeliveryState::Dead,
    DeliveryState::Delivered,
    DeliveryState::Dead,
    DeliveryState::Skipped,
    DeliveryState::Dead,
];

fn everywhere() -> Vec<DestinationName> {
    vec![destination("a"), destination("b")]
}

fn dead() -> DeliveryFilter {
    DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() }
}

fn new_replay(filter: DeliveryFilter) -> NewReplay {
    NewReplay {
        filter,
        destinations: everywhere(),
        per_second: 50,
        count: 3,
        by: "ann".to_owned(),
        at: at(20_000),
    }
}

/// Advances a replay to its end and gives it.
async fn run(store: &dyn Store, id: ReplayId, limit: usize) -> Replay {
    loop {
        let replay = store.advance_replay(id, limit, at(30_000)).await.unwrap().unwrap();
        if replay.state != ReplayState::Running {
            return replay;
        }
    }
}

/// What a replay made: the delivery and the one that it repeats, oldest first.
async fn made(store: &dyn Store, id: ReplayId) -> Vec<(DeliveryId, DeliveryId)> {
    let all = store.deliveries(DeliveryFilter::default(), page(None, 999)).await.unwrap().items;
    let made = all.into_iter().rev().filter(|record| record.replay == Some(id));
    made.map(|record| (record.id, record.replay_of.unwrap())).collect()
}

/// Five events to two destinations, each finished in the state of [`STATES`].
async fn five(store: &dyn Store) -> Vec<[DeliveryId; 2]> {
    let mut all = Vec::new();
    for (n, state) in (1..).zip(STATES) {
        let ids = finished(store, new_event(n, "k", &["a", "b"]), state, 10_000).await;
        all.push([ids[0], ids[1]]);
    }
    all
}

pub(crate) async fn a_count_tells_what_a_replay_makes(store: &dyn Store) {
    let ids = five(store).await;
    accept(store, new_event(8, "k", &["a", "b"])).await;
    let other = changed(new_event(9, "k", &["a"]), |event| event.source = SourceName::new("other"));
    finished(store, other, DeliveryState::Dead, 10_000).await;
    let any = DeliveryFilter::default;
    let filters = [
        (any(), 11),
        (dead(), 7),
        (DeliveryFilter { destination: Some(destination("a")), ..dead() }, 4),
        (DeliveryFilter { source: Some(SourceName::new("acme")), ..dead() }, 6),
        (DeliveryFilter { until: Some(at(1_003)), ..dead() }, 2),
        (DeliveryFilter { since: Some(at(1_003)), ..dead() }, 5),
        (DeliveryFilter { state: Some(DeliveryState::Pending), ..any() }, 0),
    ];
    for (filter, expected) in &filters {
        assert_eq!(store.count(filter.clone(), everywhere(), None).await.unwrap(), *expected, "{filter:?}");
    }
    assert_eq!(store.count(any(), everywhere(), Some(ids[4][1])).await.unwrap(), 10);
    assert_eq!(store.count(dead(), Vec::new(), None).await.unwrap(), 0);
    for (filter, expected) in filters.into_iter().skip(1) {
        let replay = store.begin_replay(new_replay(filter.clone())).await.unwrap();
        assert_eq!(run(store, replay.id, 2).await.made, expected, "{filter:?}");
    }
}

pub(crate) async fn a_replay_makes_each_once_in_order(store: &dyn Store) {
    let ids = five(store).await;
    let expected: Vec<_> = [0, 2, 4].iter().flat_map(|n: &usize| ids[*n]).collect();
    for limit in [1, 2, 99] {
        let replay = store.begin_replay(new_replay(dead())).await.unwrap();
        assert_eq!((replay.state, replay.made, replay.count), (ReplayState::Running, 0, 3));
        let done = run(store, replay.id, limit).await;
        assert_eq!((done.state, done.made), (ReplayState::Done, 6));
        assert_eq!(done.finished_at, Some(at(30_000)));
        let made = made(store, replay.id).await;
        assert_eq!(made.iter().map(|(_, original)| *original).collect::<Vec<_>>(), expected);
        let again = store.advance_replay(replay.id, 9, at(40_000)).await.unwrap().unwrap();
        assert_eq!(again, done, "a replay that is done makes nothing more");
        let lane: Vec<_> = store.waiting_in_lane(lane("a", "k"), None, 99).await.unwrap();
        let in_lane: Vec<_> = lane.iter().map(|ticket| ticket.id).collect();
        assert!(in_lane.is_sorted() && in_lane.len() >= 3);
        let settled = made.iter().map(|(id, _)| change(*id, DeliveryState::Delivered)).collect();
        store.record(settled).await.unwrap();
    }
    assert!(store.advance_replay(ReplayId::new(77), 9, at(1)).await.unwrap().is_none());
}

pub(crate) async fn a_replay_leaves_out_what_waits_and_what_it_made_itself(store: &dyn Store) {
    let ids = five(store).await;
    store.record(vec![change(ids[2][0], DeliveryState::Retrying)]).await.unwrap();
    let replay = store.begin_replay(new_replay(DeliveryFilter::default())).await.unwrap();
    let later = finished(store, new_event(9, "k", &["a"]), DeliveryState::Dead, 21_000).await[0];
    loop {
        let now = store.advance_replay(replay.id, 2, at(30_000)).await.unwrap().unwrap();
        // What it made is final before it moves on.
        let settled = made(store, replay.id).await;
        let settled = settled.iter().map(|(id, _)| change(*id, DeliveryState::Dead)).collect();
        store.record(settled).await.unwrap();
        if now.state == ReplayState::Done {
            break;
        }
    }
    let originals: Vec<_> = made(store, replay.id).await.into_iter().map(|(_, original)| original).collect();
    let expected: Vec<_> = ids.iter().flatten().copied().filter(|id| *id != ids[2][0]).collect();
    assert_eq!(originals, expected);
    assert!(!originals.contains(&later));
}

pub(crate) async fn a_replay_leaves_out_what_has_nowhere_to_go(store: &dyn Store) {
    let ids = five(store).await;
    let only_b = NewReplay { destinations: vec![destination("b")], ..new_replay(dead()) };
    let replay = store.begin_replay(only_b).await.unwrap();
    assert_eq!(run(store, replay.id, 9).await.made, 3);
    let originals: Vec<_> = made(store, replay.id).await.into_iter().map(|(_, original)| original).collect();
    assert_eq!(originals, [ids[0][1], ids[2][1], ids[4][1]]);
}

pub(crate) async fn steps_taken_at_the_same_time_make_nothing_twice(store: &dyn Store) {
    five(store).await;
    let replay = store.begin_replay(new_replay(DeliveryFilter::default())).await.unwrap();
    loop {
        let steps = (0..4).map(|_| store.advance_replay(replay.id, 3, at(30_000)));
        let steps = futures_util::future::join_all(steps).await;
        if steps.into_iter().any(|step| step.unwrap().unwrap().state == ReplayState::Done) {
            break;
        }
    }
    let mut originals: Vec<_> =
        made(store, replay.id).await.into_iter().map(|(_, original)| original).collect();
    assert_eq!(originals.len(), 10);
    originals.dedup();
    assert_eq!(originals.len(), 10);
    assert_eq!(store.replay(replay.id).await.unwrap().unwrap().replay.made, 10);
}

pub(crate) async fn a_cancelled_replay_makes_no_more(store: &dyn Store) {
    five(store).await;
    let replay = store.begin_replay(new_replay(dead())).await.unwrap();
    store.advance_replay(replay.id, 2, at(30_000)).await.unwrap();
    let cancelled = store.cancel_replay(replay.id, at(31_000)).await.unwrap().unwrap();
    assert_eq!((cancelled.state, cancelled.made), (ReplayState::Cancelled, 2));
    assert_eq!(cancelled.finished_at, Some(at(31_000)));
    assert_eq!(store.advance_replay(replay.id, 9, at(32_000)).await.unwrap(), Some(cancelled.clone()));
    assert_eq!(store.cancel_replay(replay.id, at(33_000)).await.unwrap(), Some(cancelled));
    assert_eq!(waiting(store).await.len(), 2, "what it made stays");
    assert!(store.cancel_replay(ReplayId::new(77), at(1)).await.unwrap().is_none());

    let other = store.begin_replay(new_replay(dead())).await.unwrap();
    let done = run(store, other.id, 9).await;
    assert_eq!(store.cancel_replay(other.id, at(34_000)).await.unwrap(), Some(done), "too late");
}

pub(crate) async fn what_became_of_a_replay_is_counted(store: &dyn Store) {
    five(store).await;
    let replay = store.begin_replay(new_replay(DeliveryFilter::default())).await.unwrap();
    run(store, replay.id, 99).await;
    let states = [
        DeliveryState::Delivered,
        DeliveryState::Delivered,
        DeliveryState::Dead,
        DeliveryState::Skipped,
        DeliveryState::Superseded,
        DeliveryState::Cancelled,
        DeliveryState::Retrying,
    ];
    let made = made(store, replay.id).await;
    let changes = made.iter().zip(states).map(|((id, _), state)| change(*id, state)).collect();
    store.record(changes).await.unwrap();
    let detail = store.replay(replay.id).await.unwrap().unwrap();
    assert_eq!((detail.waiting, detail.delivered, detail.dead, detail.other), (4, 2, 1, 3));
    assert!(store.replay(ReplayId::new(77)).await.unwrap().is_none());
}

pub(crate) async fn replays_are_listed_newest_first_and_running_ones_oldest_first(store: &dyn Store) {
    five(store).await;
    let filter = DeliveryFilter {
        state: Some(DeliveryState::Dead),
        destination: Some(destination("a")),
        event: Some(crate::testing::event_id(1)),
        kind: Some(postroom_core::event::Kind::MonitorRun),
        source: Some(SourceName::new("acme")),
        subject: Some("\"quoted\" k".to_owned()),
        since: Some(at(1)),
        until: Some(at(2)),
    };
    let mut begun = Vec::new();
    for filter in [dead(), filter, DeliveryFilter::default()] {
        begun.push(store.begin_replay(new_replay(filter)).await.unwrap());
    }
    assert_eq!(store.running_replays().await.unwrap(), begun);
    begun[0] = run(store, begun[0].id, 99).await;
    assert_eq!(store.running_replays().await.unwrap(), begun[1..]);
    let first = store.replays(PageRequest { before: None, limit: 2 }).await.unwrap();
    assert_eq!(first.items, [begun[2].clone(), begun[1].clone()]);
    let second = store.replays(PageRequest { before: first.next, limit: 2 }).await.unwrap();
    assert_eq!((second.items, second.next), (vec![begun[0].clone()], None));
}
