//! Runs, incidents, and how long they are kept.

use postroom_core::{
    event::Verdict,
    monitor::{Monitor, Run, history::RUNS_PER_CHUNK},
};

use crate::{
    CollectionChange, IncidentFilter, IncidentRecord, IncidentState, Prune, RunOrder, RunRange, Store,
    TIMELINE_ENTRIES_MAX, TimelineEntry, TrackChange,
    testing::{
        at, event_id,
        monitors::{
            collection, full, incident, incident_id, keep_incidents, keep_monitors, monitor, named, run,
            run_at, runs, tracked, with_runs,
        },
        page,
    },
};

/// Runs of one piece.
const CHUNK: u32 = 64;
const _: () = assert!(CHUNK as usize == RUNS_PER_CHUNK);

/// What [`crate::Store::runs`] should give.
pub(crate) fn expected(all: &[Run], range: RunRange) -> Vec<Run> {
    let RunRange { since, until, limit, order } = range;
    let in_range =
        |run: &&Run| since.is_none_or(|since| run.at >= since) && until.is_none_or(|until| run.at < until);
    let mut expected: Vec<Run> = all.iter().filter(in_range).cloned().collect();
    expected.sort_by_key(|run| run.at);
    if order == RunOrder::NewestFirst {
        expected.reverse();
    }
    expected.truncate(limit);
    expected
}

pub(crate) async fn runs_read_back_by_time_from_either_end(store: &dyn Store) {
    let count = CHUNK * 4 + 7;
    // The clock is set back at times, once by more than a chunk, and some runs come in one moment.
    let ms = |n: u32| {
        let back = if n > 150 { 90 } else { 0 } + if n % 50 > 40 { 20 } else { 0 };
        1_000 + i64::from(n / 2 * 2) - back
    };
    let all: Vec<Run> = (0..count).map(|n| run_at(n, ms(n), Verdict::ALL[n as usize % 3])).collect();
    // In parts of every length up to more than a chunk.
    let mut rest = &all[..];
    for length in [0, 1, 2, 60, 64, 65, 3, 70, usize::MAX] {
        let (part, behind) = rest.split_at(length.min(rest.len()));
        let others = with_runs(monitor("other"), part.to_vec());
        keep_monitors(store, vec![with_runs(monitor("m"), part.to_vec()), others]).await;
        rest = behind;
    }
    let bounds = [None, Some(0), Some(1_000), Some(1_063), Some(1_120), Some(1_150), Some(1_400)];
    for since in bounds {
        for until in bounds {
            for limit in [0, 1, 10, 64, 100, usize::MAX] {
                for order in [RunOrder::NewestFirst, RunOrder::OldestFirst] {
                    let range = RunRange { since: since.map(at), until: until.map(at), limit, order };
                    assert_eq!(runs(store, "m", range).await, expected(&all, range), "{range:?}");
                }
            }
        }
    }
    assert!(runs(store, "nobody", RunRange::ALL).await.is_empty());
}

pub(crate) async fn old_history_goes_in_pieces(store: &dyn Store) {
    let all: Vec<Run> = (0..CHUNK * 3 + 1).map(run).collect();
    let change = with_runs(monitor("m"), all.clone());
    let collections = vec![CollectionChange { watch: collection("c", 1_000), due_at: None }];
    store.track(TrackChange { monitors: vec![change], collections, ..tracked(1) }).await.unwrap();
    keep_incidents(
        store,
        vec![incident(1, "m", Some(1_010)), incident(2, "m", Some(1_500)), incident(3, "m", None)],
    )
    .await;

    // The folders of large bodies are looked through once after a start.
    while store.prune(Prune { limit: 9, ..Prune::default() }).await.unwrap().more {}
    let prune = async |run: &Run, limit| {
        let history_before = Some(run.at);
        store.prune(Prune { history_before, limit, ..Prune::default() }).await.unwrap()
    };
    let removed = prune(&all[RUNS_PER_CHUNK - 1], 9).await;
    assert_eq!(
        (removed.run_chunks, removed.incidents, removed.collections),
        (0, 1, 1),
        "not all of it is so old"
    );
    assert!(!removed.more);
    assert!(store.incident(incident_id(1)).await.unwrap().is_none());
    assert!(store.collections_by_uid(vec!["c".to_owned()]).await.unwrap().is_empty());
    let removed = prune(&all[RUNS_PER_CHUNK * 3], 2).await;
    assert_eq!((removed.run_chunks, removed.more), (2, true));
    let oldest_first = RunRange { order: RunOrder::OldestFirst, ..RunRange::ALL };
    assert_eq!(runs(store, "m", oldest_first).await, all[RUNS_PER_CHUNK * 2..]);
    let removed = prune(&all[RUNS_PER_CHUNK * 3], 2).await;
    assert_eq!((removed.run_chunks, removed.more), (1, false));
    assert_eq!(runs(store, "m", oldest_first).await, all[RUNS_PER_CHUNK * 3..]);
    keep_monitors(store, vec![with_runs(monitor("m"), all.clone())]).await;
    assert_eq!(runs(store, "m", RunRange::ALL).await.len(), all.len() + 1, "it goes on");
    let open = store.incidents(IncidentFilter::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(open, [incident(3, "m", None), incident(2, "m", Some(1_500))]);
}

pub(crate) async fn monitors_that_nothing_was_heard_of_go_with_their_history(store: &dyn Store) {
    const YEAR: i64 = 365 * 24 * 60 * 60 * 1000;
    let seen = |uid: &str, ms| -> Monitor {
        let mut monitor = monitor(uid);
        monitor.last_run = Some(run_at(1, ms, Verdict::Failed));
        monitor
    };
    let mut with_incident = seen("with incident", 1);
    with_incident.track.incident = full("x").track.incident;
    let runs_of_old: Vec<Run> = (0..CHUNK).map(run).collect();
    let changes = vec![
        with_runs(seen("old", 1), runs_of_old),
        with_runs(seen("young", 2 * YEAR), vec![]),
        with_runs(with_incident, vec![]),
        with_runs(named("never ran", "x"), vec![]),
    ];
    keep_monitors(store, changes).await;
    let prune = || Prune { history_before: Some(at(YEAR)), limit: 9, ..Prune::default() };
    let removed = store.prune(prune()).await.unwrap();
    assert_eq!((removed.run_chunks, removed.monitors), (1, 2));
    for (uid, there) in [("old", false), ("young", true), ("with incident", true), ("never ran", false)] {
        assert_eq!(store.monitor(uid.to_owned()).await.unwrap().is_some(), there, "{uid}");
    }
    keep_monitors(store, vec![with_runs(seen("with incident", 2), vec![])]).await;
    assert_eq!(store.prune(prune()).await.unwrap().monitors, 1, "once it is over");
    // It may come back.
    keep_monitors(store, vec![with_runs(seen("old", 3), vec![run(9)])]).await;
    assert_eq!(runs(store, "old", RunRange::ALL).await, [run(9)]);
}

pub(crate) async fn a_monitor_that_is_forgotten_goes_with_its_runs_and_leaves_its_incidents(
    store: &dyn Store,
) {
    let many: Vec<Run> = (0..3 * CHUNK).map(run).collect();
    keep_monitors(store, vec![with_runs(full("m"), many), with_runs(monitor("n"), vec![run(1)])]).await;
    keep_incidents(store, vec![incident(1, "m", None)]).await;
    let forgotten = ["m", "nobody"].map(str::to_owned).to_vec();
    let incidents = vec![incident(1, "m", Some(9))];
    store.track(TrackChange { forgotten, incidents: incidents.clone(), ..tracked(1) }).await.unwrap();
    assert_eq!(store.monitor("m".to_owned()).await.unwrap(), None);
    assert_eq!(runs(store, "m", RunRange::ALL).await, []);
    assert_eq!(runs(store, "n", RunRange::ALL).await, [run(1)], "nobody else is concerned");
    assert_eq!(store.incidents(IncidentFilter::default(), page(None, 9)).await.unwrap().items, incidents);
    // Of one that comes back nothing is known.
    keep_monitors(store, vec![with_runs(monitor("m"), vec![run(2)])]).await;
    assert_eq!(runs(store, "m", RunRange::ALL).await, [run(2)]);
}

pub(crate) async fn an_incident_is_what_was_kept_last(store: &dyn Store) {
    let mut open = incident(1, "m", None);
    open.resolved_by = None;
    keep_incidents(store, vec![open.clone(), incident(2, "n", Some(9))]).await;
    assert_eq!(store.incident(open.id).await.unwrap(), Some(open));
    let resolved = IncidentRecord { runs: 99, ..incident(1, "m", Some(50)) };
    keep_incidents(store, vec![resolved.clone()]).await;
    assert_eq!(store.incident(resolved.id).await.unwrap(), Some(resolved.clone()));
    assert_eq!(store.incident(incident_id(9)).await.unwrap(), None);
    let listed = store.incidents(IncidentFilter::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(listed, [incident(2, "n", Some(9)), resolved], "it keeps its place");
}

pub(crate) async fn an_open_incident_counts_the_runs_of_its_monitor(store: &dyn Store) {
    let failing = full("full");
    let open = failing.track.incident.clone().unwrap();
    let kept = [incident(11, "full", None), incident(12, "full", None), incident(13, "another", None)];
    let counted = IncidentRecord {
        last_failing: open.last_failing,
        runs: open.runs,
        failed_runs: open.failed_runs,
        ..kept[0].clone()
    };
    keep_monitors(store, vec![with_runs(failing, vec![])]).await;
    // Another incident of the monitor, and one of another monitor, have nothing of it.
    for (kept, expected) in kept.iter().zip([&counted, &kept[1], &kept[2]]) {
        keep_incidents(store, vec![kept.clone()]).await;
        assert_eq!(store.incident(kept.id).await.unwrap().as_ref(), Some(expected));
    }
    keep_incidents(store, vec![kept[0].clone()]).await;
    let listed = store.incidents(IncidentFilter::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(listed.iter().find(|it| it.id == counted.id).unwrap().runs, open.runs);
    let resolved = incident(11, "full", Some(99));
    keep_incidents(store, vec![resolved.clone()]).await;
    assert_eq!(store.incident(resolved.id).await.unwrap(), Some(resolved), "what is over counts no more");
}

pub(crate) async fn of_a_long_timeline_the_first_and_the_newest_are_kept(store: &dyn Store) {
    let entry = |n: usize| TimelineEntry {
        at: at(n as i64),
        what: "reminder".to_owned(),
        event: n.is_multiple_of(2).then(|| event_id(u32::try_from(n).unwrap())),
        note: Some(n.to_string()),
    };
    for (entries, from) in [(0, 0), (1, 1), (TIMELINE_ENTRIES_MAX, 1), (TIMELINE_ENTRIES_MAX + 9, 10)] {
        let timeline: Vec<_> = (0..entries).map(entry).collect();
        keep_incidents(store, vec![IncidentRecord { timeline, ..incident(1, "m", None) }]).await;
        let kept = store.incident(incident_id(1)).await.unwrap().unwrap().timeline;
        let first = (0..entries.min(1)).map(entry);
        assert_eq!(kept, first.chain((from..entries).map(entry)).collect::<Vec<_>>());
        assert!(kept.len() <= TIMELINE_ENTRIES_MAX);
    }
}

pub(crate) async fn incidents_are_listed_newest_first_by_every_filter(store: &dyn Store) {
    let all: Vec<IncidentRecord> =
        (1..=20).map(|n| incident(n, ["m", "n", "o"][n as usize % 3], (n % 4 != 0).then_some(50))).collect();
    keep_incidents(store, all.clone()).await;
    for state in [None, Some(IncidentState::Open), Some(IncidentState::Resolved)] {
        for monitor in [None, Some("m"), Some("o"), Some("nobody")] {
            for since in [None, Some(at(5))] {
                for until in [None, Some(at(15))] {
                    let monitor = monitor.map(str::to_owned);
                    let filter = IncidentFilter { state, monitor, since, until };
                    let wanted = |incident: &&IncidentRecord| {
                        state.is_none_or(|state| state == incident.state)
                            && filter.monitor.as_ref().is_none_or(|uid| *uid == incident.monitor)
                            && since.is_none_or(|since| incident.opened_at >= since)
                            && until.is_none_or(|until| incident.opened_at < until)
                    };
                    let expected: Vec<_> = all.iter().rev().filter(wanted).cloned().collect();
                    let (mut found, mut before) = (Vec::new(), None);
                    loop {
                        let page = store.incidents(filter.clone(), page(before, 3)).await.unwrap();
                        found.extend(page.items);
                        before = page.next;
                        if before.is_none() {
                            break;
                        }
                    }
                    assert_eq!(found, expected, "{filter:?}");
                }
            }
        }
    }
}
