//! The store against a plain model: whatever is done to both, closed and reopened in between, both tell the same.

mod compare;
mod plain;

use postroom_core::outcome::OutcomeKind;
use proptest::prelude::*;

use self::plain::{Model, Sent};
use super::*;

#[derive(Debug, Clone)]
enum Action {
    /// Some events at once.
    Accept(Vec<Sent>),
    /// Changes to known deliveries: which one, its new state, the outcome of an attempt.
    Record(Vec<(prop::sample::Index, DeliveryState, Option<OutcomeKind>)>),
    Retry(prop::sample::Index),
    /// A replay of one state, or of all, that was final so long ago.
    BeginReplay(Option<DeliveryState>, i64),
    Advance(prop::sample::Index, usize),
    Cancel(prop::sample::Index),
    /// Remove by age: how long events and those with dead letters are kept, and the size of a chunk.
    PruneOld(i64, i64, usize),
    /// Remove for room: how many, and the size of a chunk.
    PruneOldest(usize, usize),
    PruneMarks(i64),
    Pause(usize, bool),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let index = any::<prop::sample::Index>;
    let state = || prop::sample::select(&DeliveryState::ALL[..]);
    let kind = prop::option::of(prop::sample::select(&OutcomeKind::ALL[..]));
    let age = || 0..400_i64;
    prop_oneof![
        6 => prop::collection::vec(sent(), 1..5).prop_map(Action::Accept),
        6 => prop::collection::vec((index(), state(), kind), 1..6).prop_map(Action::Record),
        2 => index().prop_map(Action::Retry),
        2 => (prop::option::of(state()), 0..60_i64).prop_map(|(state, ago)| Action::BeginReplay(state, ago)),
        3 => (index(), 1..4_usize).prop_map(|(replay, limit)| Action::Advance(replay, limit)),
        1 => index().prop_map(Action::Cancel),
        2 => (age(), age(), 1..4_usize).prop_map(|(events, dead, limit)| Action::PruneOld(events, dead, limit)),
        1 => (1..4_usize, 1..3_usize).prop_map(|(oldest, limit)| Action::PruneOldest(oldest, limit)),
        1 => age().prop_map(Action::PruneMarks),
        1 => (0..plain::DESTINATIONS.len(), any::<bool>()).prop_map(|(n, paused)| Action::Pause(n, paused)),
        1 => Just(Action::Reopen),
    ]
}

fn sent() -> impl Strategy<Value = Sent> {
    let body = prop_oneof![
        6 => Just(plain::BodyOf::Number),
        1 => (0..2_u8).prop_map(plain::BodyOf::Large),
        2 => (0..2_usize, 0..2_u8).prop_map(|(key, body)| plain::BodyOf::Marked { key, body }),
    ];
    (0..plain::KEYS.len(), 0..=plain::DESTINATIONS.len(), body).prop_map(|(key, fan_out, body)| Sent {
        key,
        fan_out,
        body,
    })
}

async fn run(actions: &[Action]) {
    let scratch = Scratch::new();
    let mut model = Model::default();
    let mut store = scratch.store();
    for action in actions {
        match action {
            Action::Accept(events) => model.accept(&store, events).await,
            Action::Record(changes) => model.record(&store, changes).await,
            Action::Retry(index) => model.retry(&store, index).await,
            Action::BeginReplay(state, ago) => model.begin_replay(&store, *state, *ago).await,
            Action::Advance(index, limit) => model.advance(&store, index, *limit).await,
            Action::Cancel(index) => model.cancel(&store, index).await,
            Action::PruneOld(events, dead, limit) => model.prune_old(&store, *events, *dead, *limit).await,
            Action::PruneOldest(oldest, limit) => model.prune_oldest(&store, *oldest, *limit).await,
            Action::PruneMarks(age) => model.prune_marks(&store, *age).await,
            Action::Pause(destination, paused) => model.pause(&store, *destination, *paused).await,
            Action::Reopen => {
                drop(store);
                store = scratch.store();
            }
        }
        model.check(&store).await;
    }
    model.check_all(&store).await;
    model.prune_old(&store, 0, 0, 3).await;
    assert_eq!(scratch.blob_files(), model.large_bodies(), "a file for each large body that is left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_and_the_model_tell_the_same(actions in prop::collection::vec(action(), 1..24)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(&actions));
    }
}
