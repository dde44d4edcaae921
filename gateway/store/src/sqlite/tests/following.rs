//! A list that is followed against a plain model: whatever comes, goes and is asked for in between, each row that stays is
//! given once, in the order in which it was accepted, and a place that was never given is refused.

use postroom_core::{event::Kind, id::EventId};
use proptest::prelude::*;

use super::*;
use crate::{EventFilter, FollowFrom, Prune, StoreError, testing::changed};

#[derive(Debug, Clone)]
enum Step {
    /// So many events, runs or activities.
    Accept(Vec<bool>),
    /// So many of the oldest go.
    Prune(usize),
    /// The next part, at most so many.
    Ask(usize),
    Reopen,
    /// A place so far beyond the end, as the database before a restore may have given it.
    Beyond(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => prop::collection::vec(any::<bool>(), 1..7).prop_map(Step::Accept),
        1 => (1..4_usize).prop_map(Step::Prune),
        4 => (1..5_usize).prop_map(Step::Ask),
        1 => Just(Step::Reopen),
        1 => (1..9_i64).prop_map(Step::Beyond),
    ]
}

#[derive(Debug, Default)]
struct Model {
    accepted: u32,
    /// Those that match, with whether they are gone.
    matching: Vec<(EventId, bool)>,
    gone: usize,
    seen: Vec<EventId>,
}

async fn run(steps: &[Step], kind: Option<Kind>, from_now: bool) {
    let scratch = Scratch::new();
    let mut store = scratch.store();
    let mut model = Model::default();
    let filter = EventFilter { kind, ..EventFilter::default() };
    let mut place = if from_now { FollowFrom::Now } else { FollowFrom::After(0) };
    if from_now {
        place = FollowFrom::After(store.events_from(filter.clone(), place, 1).await.unwrap().last);
    }
    let ask = async |store: &SqliteStore, place: &mut FollowFrom, model: &mut Model, limit: usize| {
        let part = store.events_from(filter.clone(), *place, limit).await.unwrap();
        assert!(part.items.len() <= limit);
        model.seen.extend(part.items.iter().map(|record| record.event.id));
        *place = FollowFrom::After(part.last);
        part.is_more
    };
    let mut all: Vec<EventId> = Vec::new();
    for step in steps {
        match step {
            Step::Accept(events) => {
                for is_run in events {
                    model.accepted += 1;
                    let made = if *is_run { Kind::MonitorRun } else { Kind::Activity };
                    let new = changed(new_event(model.accepted, "k", &[]), |event| event.kind = made);
                    accept(&store, new).await;
                    all.push(event_id(model.accepted));
                    if kind.is_none_or(|kind| kind == made) {
                        model.matching.push((event_id(model.accepted), false));
                    }
                }
            }
            Step::Prune(oldest) => {
                let prune = Prune { oldest: *oldest, limit: *oldest, ..Prune::default() };
                let pruned = store.prune(prune).await.unwrap().events;
                let gone = all.iter().skip(model.gone).take(usize::try_from(pruned).unwrap());
                for id in gone {
                    let seen = model.seen.contains(id);
                    if let Some(matching) = model.matching.iter_mut().find(|(known, _)| known == id) {
                        matching.1 = !seen;
                    }
                }
                model.gone += usize::try_from(pruned).unwrap();
            }
            Step::Ask(limit) => drop(ask(&store, &mut place, &mut model, *limit).await),
            Step::Beyond(far) => {
                let beyond = FollowFrom::After(i64::from(model.accepted) + far);
                let refused = store.events_from(filter.clone(), beyond, 1).await.unwrap_err();
                assert!(matches!(refused, StoreError::UnknownPlace { .. }), "{refused}");
            }
            Step::Reopen => {
                drop(store);
                store = scratch.store();
            }
        }
    }
    while ask(&store, &mut place, &mut model, 3).await {}
    let expected: Vec<EventId> =
        model.matching.iter().filter(|(_, is_gone)| !is_gone).map(|(id, _)| *id).collect();
    assert_eq!(model.seen, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_follows_a_list_misses_nothing_and_sees_nothing_twice(
        steps in prop::collection::vec(step(), 1..30),
        kind in prop::sample::select(&[None, Some(Kind::MonitorRun), Some(Kind::Activity)][..]),
        from_now in any::<bool>(),
    ) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(run(&steps, kind, from_now));
    }
}
