//! The history of a monitor against a plain list, whatever the clock does and however often the store is opened anew.

use postroom_core::{event::Verdict, monitor::Run};
use proptest::prelude::*;

use super::*;
use crate::{
    RunOrder, RunRange,
    contract::history::expected,
    testing::monitors::{keep_monitors, monitor, run_at, runs, with_runs},
};

/// The clock is somewhere in here, on one of some days.
const MS: std::ops::Range<i64> = 0..2_000;
const DAYS: std::ops::Range<i64> = 0..4;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Debug, Clone)]
enum Action {
    /// Runs, each so many milliseconds after the one before.
    Add(Vec<i64>),
    Read(RunRange),
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    let days = prop::sample::select(vec![-DAY_MS, DAY_MS]);
    let gap = prop_oneof![80 => 0..9_i64, 10 => -300..0_i64, 10 => 0..300_i64, 1 => days];
    let limit = prop_oneof![0..9_usize, 50..150_usize, Just(usize::MAX)];
    let bound = || prop::option::of((DAYS, MS).prop_map(|(day, ms)| at(day * DAY_MS + ms)));
    let order = prop::sample::select(vec![RunOrder::NewestFirst, RunOrder::OldestFirst]);
    let range = (bound(), bound(), limit, order);
    let range = range.prop_map(|(since, until, limit, order)| RunRange { since, until, limit, order });
    prop_oneof![
        4 => prop::collection::vec(gap, 0..130).prop_map(Action::Add),
        6 => range.prop_map(Action::Read),
        1 => Just(Action::Reopen),
    ]
}

async fn compare(actions: &[Action]) {
    let scratch = Scratch::new();
    let mut store = scratch.store();
    let mut all: Vec<Run> = Vec::new();
    let mut now = 1_000;
    for action in actions {
        match action {
            Action::Add(gaps) => {
                let before = all.len();
                for gap in gaps {
                    now = (now + gap).clamp(MS.start, DAYS.end * DAY_MS);
                    all.push(run_at(u32::try_from(all.len()).unwrap(), now, Verdict::Passed));
                }
                keep_monitors(&store, vec![with_runs(monitor("m"), all[before..].to_vec())]).await;
            }
            Action::Read(range) => {
                assert_eq!(runs(&store, "m", *range).await, expected(&all, *range), "{range:?}");
            }
            Action::Reopen => {
                drop(store);
                store = scratch.store();
            }
        }
    }
    assert_eq!(runs(&store, "m", RunRange::ALL).await, expected(&all, RunRange::ALL));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn runs_are_as_a_list_would_have_them(actions in prop::collection::vec(action(), 1..30)) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(compare(&actions));
    }
}
