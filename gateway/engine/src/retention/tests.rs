use std::sync::atomic::Ordering;

use postroom_store::Usage;

use super::*;
use crate::testing::{self, Memory, NOON};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const KEPT: Retention = Retention {
    events: Some(Duration::from_secs(10)),
    dead_letters: Some(Duration::from_secs(20)),
    size_bytes: None,
    marks: Duration::from_secs(30),
    replays: Duration::from_secs(40),
    history: Some(Duration::from_secs(50)),
    audit: Duration::from_secs(60),
};

fn configured() -> Arc<RwLock<Vec<DestinationName>>> {
    Arc::new(RwLock::new(vec![DestinationName::new("log")]))
}

/// Runs the pruner for so long, and gives what it asked the store to remove.
async fn prunes(store: &Arc<Memory>, retention: Retention, time: Duration) -> Vec<Prune> {
    let shared = Arc::clone(store) as Arc<dyn Store>;
    let pruner = Pruner::new(shared, retention, configured(), testing::clock(), Metrics::default());
    run(store, pruner, time).await
}

async fn run(store: &Memory, pruner: Pruner, time: Duration) -> Vec<Prune> {
    assert!(tokio::time::timeout(time, pruner.run()).await.is_err());
    std::mem::take(&mut store.state().prunes)
}

fn removed(events: u64, more: bool) -> Pruned {
    Pruned { events, more, ..Pruned::default() }
}

#[tokio::test(start_paused = true)]
async fn each_sort_is_kept_for_its_own_time() {
    let (store, _feed) = Memory::new(1);
    let [prune] = &prunes(&store, KEPT, INTERVAL / 2).await[..] else { panic!("one look at the store") };
    let before = |seconds: i64| Some(Timestamp::from_unix_ms(NOON - seconds * 1_000));
    let expected = Prune {
        events_before: before(10),
        dead_before: before(20),
        marks_before: before(30),
        replays_before: before(40),
        state_expired_by: before(0),
        removed_destinations: Some(RemovedDestinations {
            configured: [DestinationName::new("log")].into(),
            at: Timestamp::from_unix_ms(NOON),
            before: before(30 * 24 * 60 * 60).unwrap(),
        }),
        history_before: before(50),
        audit_before: before(60),
        oldest: 0,
        limit: CHUNK_ROWS,
    };
    assert_eq!(*prune, expected);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_for_ever_is_not_named() {
    let (store, _feed) = Memory::new(1);
    let for_ever = Retention { events: None, dead_letters: None, history: None, ..KEPT };
    let asked = prunes(&store, for_ever, INTERVAL / 2).await;
    let Prune { events_before, dead_before, history_before, .. } = asked[0];
    assert_eq!((events_before, dead_before, history_before), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_in_chunks_until_nothing_is_left() {
    let (store, _feed) = Memory::new(1);
    store.state().pruned = [removed(128, true), removed(128, true), removed(5, false)].into();
    assert_eq!(prunes(&store, KEPT, INTERVAL / 2).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn between_two_chunks_the_store_is_left_to_others() {
    let (store, _feed) = Memory::new(1);
    store.state().pruned = std::iter::repeat_n(removed(128, true), 10_000).collect();
    let asked = prunes(&store, KEPT, PAUSE_MIN * 100).await.len();
    assert!((90..=101).contains(&asked), "{asked} chunks in the time of a hundred pauses");
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_until_the_rest_has_room() {
    let (store, _feed) = Memory::new(1);
    store.state().pruned = [removed(0, false), removed(1, true), removed(1, true)].into();
    store.state().usage =
        [150, 120, 90].map(|used| Usage { database_bytes: used / 3, blob_bytes: used - used / 3 }).into();
    let bounded = Retention { size_bytes: Some(100), ..KEPT };
    let asked = prunes(&store, bounded, INTERVAL / 2).await;
    assert_eq!(asked.iter().map(|prune| prune.oldest).collect::<Vec<_>>(), [0, 1, 1]);
    assert_eq!(asked[1].events_before, None, "by room and not by age");
}

#[tokio::test(start_paused = true)]
async fn when_all_that_is_left_waits_it_does_not_go_round_in_circles() {
    let (store, _feed) = Memory::new(1);
    store.state().usage = [Usage { database_bytes: 200, blob_bytes: 0 }].into();
    let bounded = Retention { size_bytes: Some(100), ..KEPT };
    assert_eq!(prunes(&store, bounded, INTERVAL / 2).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn it_is_told_when_there_is_no_room_to_make_and_only_then() {
    for (left, told) in [(90, 0), (110, 1)] {
        let (log, _guard) = testing::Log::start();
        let (store, _feed) = Memory::new(1);
        store.state().pruned = [removed(0, false), removed(1, false)].into();
        store.state().usage = [150, left].map(|used| Usage { database_bytes: used, blob_bytes: 0 }).into();
        let bounded = Retention { size_bytes: Some(100), ..KEPT };
        prunes(&store, bounded, INTERVAL * 3).await;
        let lines = log.lines();
        let warned = lines.iter().filter(|line| line.starts_with("the store takes more room")).count();
        assert_eq!(warned, told, "{lines:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_asked_again_later() {
    let (store, _feed) = Memory::new(1);
    store.fails.store(true, Ordering::SeqCst);
    let mend = async {
        tokio::time::sleep(DAY).await;
        store.fails.store(false, Ordering::SeqCst);
    };
    let ((), asked) = tokio::join!(mend, prunes(&store, KEPT, DAY + 2 * INTERVAL));
    assert!((1..=3).contains(&asked.len()), "{}", asked.len());
}

/// Runs the pruner for a quarter of an hour in which the clock is ahead for five minutes; gives how often it pruned.
async fn prunes_with_a_jump(ahead: Duration) -> usize {
    let (store, _feed) = Memory::new(1);
    let (right, start) = (testing::clock(), Instant::now());
    let clock = Clock::new(move || {
        let jumped = (300..600).contains(&start.elapsed().as_secs());
        right.now().plus(if jumped { ahead } else { Duration::ZERO })
    });
    let pruner =
        Pruner::new(Arc::clone(&store) as Arc<dyn Store>, KEPT, configured(), clock, Metrics::default());
    run(&store, pruner, Duration::from_secs(899)).await.len()
}

#[tokio::test(start_paused = true)]
async fn nothing_becomes_old_because_the_clock_jumps() {
    assert_eq!(prunes_with_a_jump(DAY / 2).await, 15, "a machine that slept for a while");
    assert_eq!(prunes_with_a_jump(2 * DAY).await, 10);
}

#[tokio::test(start_paused = true)]
async fn room_is_made_even_if_the_clock_has_jumped() {
    let (store, _feed) = Memory::new(1);
    store.state().usage = [Usage { database_bytes: 200, blob_bytes: 0 }].into();
    let (right, start) = (testing::clock(), Instant::now());
    let clock = Clock::new(move || {
        right.now().plus(if start.elapsed().is_zero() { Duration::ZERO } else { 2 * DAY })
    });
    let bounded = Retention { size_bytes: Some(100), ..KEPT };
    let pruner =
        Pruner::new(Arc::clone(&store) as Arc<dyn Store>, bounded, configured(), clock, Metrics::default());
    tokio::time::advance(INTERVAL).await;
    let asked = run(&store, pruner, INTERVAL / 2).await;
    let by_room = |oldest| Prune { oldest, limit: CHUNK_ROWS, ..Prune::default() };
    assert_eq!(asked, [by_room(0), by_room(1)], "the first has the store begin at the oldest again");
}

/// What waits for days stands before one large event that may go.
#[tokio::test(start_paused = true)]
async fn a_chunk_that_removes_nothing_is_no_reason_to_remove_more() {
    let (store, _feed) = Memory::new(1);
    // By age nothing; eight looks at 4096 events that wait; then what may go.
    let mut pruned = vec![removed(0, false)];
    pruned.extend(std::iter::repeat_n(removed(0, true), 8));
    store.state().pruned = pruned.into();
    let mut usage = vec![Usage { database_bytes: 101, blob_bytes: 0 }; 9];
    usage.push(Usage { database_bytes: 90, blob_bytes: 0 });
    store.state().usage = usage.into();
    let bounded = Retention { size_bytes: Some(100), ..KEPT };
    let asked = prunes(&store, bounded, INTERVAL / 2).await;
    let oldest: Vec<_> = asked.iter().skip(1).map(|prune| prune.oldest).collect();
    assert_eq!(oldest[..8], [1; 8], "one byte over, and what one event frees is not known yet");
}
