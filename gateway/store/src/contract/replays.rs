//! Replays.

use postroom_core::{
    delivery::DeliveryState,
    id::{DeliveryId, DestinationName, ReplayId, SourceName},
    replay::ReplayState,
};

use crate::{
    DeliveryChange, DeliveryFilter, Matching, NewReplay, PageRequest, Replay, RetryAnswer, Store,
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
        final_by: at(20_000),
        by: "ann".to_owned(),
        at: at(20_000),
    }
}

/// How many match, all of them final by now.
async fn count(store: &dyn Store, filter: DeliveryFilter) -> u64 {
    let Matching { count, later, .. } = store.count(filter, everywhere(), at(20_000)).await.unwrap();
    assert_eq!(later, 0);
    count
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
    five(store).await;
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
        assert_eq!(count(store, filter.clone()).await, *expected, "{filter:?}");
    }
    let nowhere = store.count(dead(), Vec::new(), at(20_000)).await.unwrap();
    assert_eq!(nowhere, Matching { count: 0, later: 0, newest: None });
    // The narrowest first: what one replay has taken is none of the next one's.
    let mut taken = 0;
    for (filter, matching) in filters.into_iter().rev() {
        let expected = count(store, filter.clone()).await;
        assert!(expected <= matching, "{filter:?}");
        let replay = store.begin_replay(new_replay(filter.clone())).await.unwrap();
        assert_eq!(run(store, replay.id, 2).await.made, expected, "{filter:?}");
        assert_eq!(count(store, filter).await, 0);
        taken += expected;
    }
    assert_eq!(taken, 11);
}

pub(crate) async fn a_replay_makes_each_once_in_order(store: &dyn Store) {
    let mut expected: Vec<DeliveryId> = five(store).await.into_iter().flatten().collect();
    for (n, limit) in (0..).zip([1, 2, 99]) {
        let filter = DeliveryFilter { since: Some(at(n)), ..DeliveryFilter::default() };
        let replay = store.begin_replay(NewReplay { count: 10, ..new_replay(filter) }).await.unwrap();
        assert_eq!((replay.state, replay.made, replay.count), (ReplayState::Running, 0, 10));
        let done = run(store, replay.id, limit).await;
        assert_eq!((done.state, done.made), (ReplayState::Done, 10));
        assert_eq!(done.finished_at, Some(at(30_000)));
        let made = made(store, replay.id).await;
        assert_eq!(made.iter().map(|(_, original)| *original).collect::<Vec<_>>(), expected);
        let again = store.advance_replay(replay.id, 9, at(40_000)).await.unwrap().unwrap();
        assert_eq!(again, done, "a replay that is done makes nothing more");
        let lane: Vec<_> = store.waiting_in_lane(lane("a", "k"), None, 99).await.unwrap();
        let in_lane: Vec<_> = lane.iter().map(|ticket| ticket.id).collect();
        assert!(in_lane.is_sorted() && in_lane.len() == 5);
        expected = made.iter().map(|(id, _)| *id).collect();
        store
            .record(expected.iter().map(|id| change(*id, DeliveryState::Delivered)).collect())
            .await
            .unwrap();
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

pub(crate) async fn a_replay_leaves_out_what_became_final_after_it_was_asked_for(store: &dyn Store) {
    let asked = at(20_000);
    let before = finished(store, new_event(1, "k", &["a"]), DeliveryState::Dead, 20_000).await[0];
    finished(store, new_event(2, "k", &["a"]), DeliveryState::Dead, 20_001).await;
    let waits = accept(store, new_event(3, "k", &["a"])).await[0];
    let matching = store.count(dead(), everywhere(), asked).await.unwrap();
    assert_eq!(matching, Matching { count: 1, later: 1, newest: Some(at(20_001)) });

    let replay = store.begin_replay(new_replay(dead())).await.unwrap();
    let ends = DeliveryChange { at: at(20_002), ..change(waits, DeliveryState::Dead) };
    store.record(vec![ends]).await.unwrap();
    assert_eq!(run(store, replay.id, 9).await.made, 1);
    assert_eq!(made(store, replay.id).await[0].1, before);
}

pub(crate) async fn a_replay_takes_what_was_counted_though_the_clock_was_set_back(store: &dyn Store) {
    for n in 1..=3 {
        finished(store, new_event(n, "k", &["a"]), DeliveryState::Dead, 90_000 + i64::from(n)).await;
    }
    let matching = store.count(dead(), everywhere(), at(20_000)).await.unwrap();
    assert_eq!(matching, Matching { count: 0, later: 3, newest: Some(at(90_003)) });
    let new = NewReplay { final_by: at(90_003), ..new_replay(dead()) };
    let replay = store.begin_replay(new).await.unwrap();
    assert_eq!(run(store, replay.id, 2).await.made, 3);
}

pub(crate) async fn a_replay_leaves_out_what_was_made_again(store: &dyn Store) {
    let ids = five(store).await;
    let RetryAnswer::Made(again) = store.retry(ids[0][0], at(15_000)).await.unwrap() else {
        panic!("it is final")
    };
    // The dead one has a successor that waits: nothing of it goes.
    assert_eq!(count(store, dead()).await, 5);
    let first = store.begin_replay(new_replay(dead())).await.unwrap();
    assert_eq!(run(store, first.id, 9).await.made, 5);
    // Asked for once more, before anything became of what the first one made, and after.
    for state in [None, Some(DeliveryState::Delivered)] {
        if let Some(state) = state {
            let made = waiting(store).await.into_iter().map(|id| change(id, state));
            store.record(made.collect()).await.unwrap();
        }
        assert_eq!(count(store, dead()).await, 0);
        let second = store.begin_replay(new_replay(dead())).await.unwrap();
        assert_eq!(run(store, second.id, 9).await.made, 0);
    }
    // Without a state the newest of each chain goes: the four that nobody repeated, and the six that were made.
    assert_eq!(count(store, DeliveryFilter::default()).await, 10);
    let all = store.begin_replay(new_replay(DeliveryFilter::default())).await.unwrap();
    assert_eq!(run(store, all.id, 99).await.made, 10);
    let originals: Vec<_> = made(store, all.id).await.into_iter().map(|(_, original)| original).collect();
    assert!(originals.contains(&again) && !originals.contains(&ids[0][0]));
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

pub(crate) async fn replays_of_the_same_at_the_same_time_make_nothing_twice(store: &dyn Store) {
    five(store).await;
    let mut begun = Vec::new();
    for _ in 0..3 {
        begun.push(store.begin_replay(new_replay(DeliveryFilter::default())).await.unwrap().id);
    }
    let runs = begun.iter().map(|id| run(store, *id, 2));
    let runs = futures_util::future::join_all(runs).await;
    assert_eq!(runs.iter().map(|replay| replay.made).sum::<u64>(), 10);
    assert_eq!(waiting(store).await.len(), 10, "one of each chain");
}

pub(crate) async fn what_a_replay_made_can_be_listed(store: &dyn Store) {
    five(store).await;
    let [first, second] = [DeliveryState::Dead, DeliveryState::Skipped]
        .map(|state| DeliveryFilter { state: Some(state), ..DeliveryFilter::default() });
    let mut by_replay = Vec::new();
    for filter in [first, second] {
        let replay = store.begin_replay(new_replay(filter)).await.unwrap();
        run(store, replay.id, 2).await;
        by_replay.push((replay.id, made(store, replay.id).await));
    }
    let states = [DeliveryState::Dead, DeliveryState::Retrying, DeliveryState::Delivered];
    let changes = by_replay[0].1.iter().zip(states).map(|((id, _), state)| change(*id, state));
    store.record(changes.collect()).await.unwrap();
    for (replay, made) in by_replay {
        for limit in [1, 2, 4, 99] {
            let filter = DeliveryFilter { replay: Some(replay), ..DeliveryFilter::default() };
            let mut listed = list(store, filter, limit).await;
            listed.reverse();
            assert_eq!(listed, made.iter().map(|(id, _)| *id).collect::<Vec<_>>(), "pages of {limit}");
        }
        for state in DeliveryState::ALL {
            let filter =
                DeliveryFilter { replay: Some(replay), state: Some(state), ..DeliveryFilter::default() };
            for id in list(store, filter, 9).await {
                let found = store.delivery(id).await.unwrap().unwrap().delivery;
                assert_eq!((found.state, found.replay), (state, Some(replay)));
            }
        }
    }
}

/// All that match, page by page.
async fn list(store: &dyn Store, filter: DeliveryFilter, limit: usize) -> Vec<DeliveryId> {
    let (mut found, mut request) = (Vec::new(), page(None, limit));
    loop {
        let page = store.deliveries(filter.clone(), request).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.iter().map(|record| record.id));
        request.before = page.next;
        if page.next.is_none() {
            return found;
        }
    }
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
        replay: Some(ReplayId::new(7)),
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
