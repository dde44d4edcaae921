//! A tracker that is dropped at any point, and started anew.

use std::sync::atomic::Ordering;

use postroom_core::event::{MadeKind::*, Verdict};

use super::desk::{Desk, quiet, tracking};

/// Two monitors: one opens an incident twice, one once.
const RUNS: [(&str, Verdict); 6] = [
    ("a", Verdict::Failed),
    ("b", Verdict::Failed),
    ("a", Verdict::Failed),
    ("a", Verdict::Passed),
    ("b", Verdict::Unknown),
    ("a", Verdict::Failed),
];

#[track_caller]
fn check(desk: &Desk, context: &str) {
    assert_eq!(desk.told_of("a"), [IncidentOpened, IncidentResolved, IncidentOpened], "{context}");
    assert_eq!(desk.told_of("b"), [IncidentOpened], "{context}");
    assert_eq!((desk.monitor("a").counts.failed, desk.monitor("a").counts.passed), (3, 1), "{context}");
    let state = desk.store.state();
    let runs = state.following().runs.values().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(runs, [4, 2], "{context}");
    assert_eq!(state.following().incidents.len(), 3, "{context}");
    assert_eq!(state.destinations().len(), 4, "{context}");
}

#[tokio::test(start_paused = true)]
async fn every_run_counts_once_wherever_it_is_killed() {
    for steps in 0..60 {
        let mut desk = Desk::new(tracking(quiet()));
        for (uid, verdict) in &RUNS[..4] {
            desk.run(uid, *verdict).await;
        }
        desk.run_for(steps).await;
        for (uid, verdict) in &RUNS[4..] {
            desk.run(uid, *verdict).await;
        }
        desk.run_for(steps).await;
        desk.start();
        desk.settle().await;
        check(&desk, &format!("killed after {steps} steps"));
    }
}

#[tokio::test(start_paused = true)]
async fn every_run_counts_once_though_the_store_says_that_it_failed() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.store.doubtful_tracks.store(3, Ordering::SeqCst);
    desk.start();
    for (uid, verdict) in RUNS {
        desk.run(uid, verdict).await;
        desk.wait(super::MINUTE).await;
    }
    check(&desk, "kept, and refused all the same");
}
