//! Monitors and collections.

use postroom_core::{
    event::Verdict,
    id::SourceName,
    monitor::{Monitor, Mute},
};

use crate::{
    CollectionChange, MonitorChange, MonitorCounts, MonitorFilter, MonitorRow, Store, TrackChange,
    testing::{
        at,
        monitors::{collection, full, keep_monitors, monitor, named, run, run_at, tracked, with_runs},
        page,
    },
};

pub(crate) async fn a_monitor_reads_back_as_it_was_kept(store: &dyn Store) {
    let due_at = Some(at(77));
    let both = [
        MonitorChange { due_at, ..with_runs(full("full"), vec![]) },
        with_runs(monitor("bare"), vec![run(1)]),
    ];
    keep_monitors(store, both.to_vec()).await;
    for MonitorChange { monitor, due_at, .. } in both {
        let row = store.monitor(monitor.identity.uid.clone()).await.unwrap();
        assert_eq!(row, Some(MonitorRow { monitor, due_at }));
    }
    assert_eq!(store.monitor("nobody".to_owned()).await.unwrap(), None);
    let uids = ["bare", "nobody", "full"].map(str::to_owned).to_vec();
    let [bare, full_row] = &store.monitors_by_uid(uids).await.unwrap()[..] else { panic!("two") };
    assert_eq!((&bare.monitor, bare.due_at), (&monitor("bare"), None));
    assert_eq!((&full_row.monitor, full_row.due_at), (&full("full"), due_at));
}

pub(crate) async fn a_monitor_is_what_was_kept_last(store: &dyn Store) {
    keep_monitors(store, vec![with_runs(full("m"), vec![])]).await;
    keep_monitors(store, vec![with_runs(monitor("m"), vec![])]).await;
    let row = store.monitor("m".to_owned()).await.unwrap();
    assert_eq!(row, Some(MonitorRow { monitor: monitor("m"), due_at: None }));
    keep_monitors(store, vec![with_runs(full("m"), vec![])]).await;
    let row = store.monitor("m".to_owned()).await.unwrap();
    assert_eq!(row, Some(MonitorRow { monitor: full("m"), due_at: None }));
}

pub(crate) async fn monitors_that_are_due_come_earliest_first(store: &dyn Store) {
    let change = |uid: &str, due: Option<i64>| MonitorChange {
        due_at: due.map(at),
        ..with_runs(monitor(uid), vec![])
    };
    let changes = [("a", Some(30)), ("b", Some(10)), ("c", None), ("d", Some(20)), ("e", Some(40))];
    keep_monitors(store, changes.map(|(uid, due)| change(uid, due)).to_vec()).await;
    let due = async |until, limit| {
        let found = store.monitors_due(at(until), limit).await.unwrap();
        let due = |row: MonitorRow| (row.monitor.identity.uid, row.due_at.unwrap().as_unix_ms());
        found.into_iter().map(due).collect::<Vec<_>>()
    };
    let expected =
        |due: &[(&str, i64)]| due.iter().map(|(uid, ms)| ((*uid).to_owned(), *ms)).collect::<Vec<_>>();
    assert_eq!(due(30, 9).await, expected(&[("b", 10), ("d", 20), ("a", 30)]));
    assert_eq!(due(30, 2).await, expected(&[("b", 10), ("d", 20)]));
    assert!(due(9, 9).await.is_empty());
    keep_monitors(store, vec![change("b", None), change("c", Some(5))]).await;
    assert_eq!(due(30, 9).await, expected(&[("c", 5), ("d", 20), ("a", 30)]));
}

fn some_monitors() -> Vec<Monitor> {
    let mut all = Vec::new();
    let verdicts = [None, Some(Verdict::Passed), Some(Verdict::Failed), Some(Verdict::Unknown)];
    for (n, verdict) in (0_u32..).zip(verdicts.into_iter().cycle().take(24)) {
        let mut monitor = named(&format!("uid-{n}"), &format!("{} Run", char::from(b'Z' - (n % 20) as u8)));
        match n % 6 {
            0 => monitor.identity.name = None,
            1 => monitor.identity.collection_name = Some("ÄRGER".to_owned()),
            2 => monitor.identity.environment_name = Some("ärger".to_owned()),
            _ => {}
        }
        monitor.last_run = verdict.map(|verdict| run_at(n, 5, verdict));
        monitor.cadence.silent_since = (n % 5 == 0).then_some(at(5));
        monitor.track.incident = if n % 7 == 0 { full("x").track.incident } else { None };
        if n % 4 != 0 {
            monitor.identity.labels = [("team".to_owned(), format!("t{}", n % 2))].into();
            monitor.identity.source = SourceName::new("other");
        }
        monitor.mute = (n % 3 == 0).then(|| Mute { until: at(n.into()), by: "ann".to_owned(), reason: None });
        all.push(monitor);
    }
    all
}

/// In the order of a list.
fn sorted(mut monitors: Vec<Monitor>) -> Vec<Monitor> {
    monitors.sort_by_key(|monitor| {
        let identity = &monitor.identity;
        (identity.name.as_ref().unwrap_or(&identity.uid).to_lowercase(), identity.uid.clone())
    });
    monitors
}

async fn list(store: &dyn Store, filter: &MonitorFilter, limit: usize) -> Vec<Monitor> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = store.monitors(filter.clone(), page(before, limit)).await.unwrap();
        assert!(page.items.len() <= limit);
        found.extend(page.items.into_iter().map(|row| row.monitor));
        before = page.next;
        if before.is_none() {
            return found;
        }
    }
}

pub(crate) async fn monitors_are_listed_by_name_by_every_filter(store: &dyn Store) {
    let all = some_monitors();
    let changes = all.iter().map(|monitor| with_runs(monitor.clone(), vec![]));
    keep_monitors(store, changes.collect()).await;
    let all = sorted(all);
    for verdict in [None, Some(Verdict::Passed), Some(Verdict::Failed), Some(Verdict::Unknown)] {
        for silent in [None, Some(true), Some(false)] {
            for incident_open in [None, Some(true), Some(false)] {
                for muted_at in [None, Some(at(9))] {
                    for text in [None, Some("ärger"), Some("UID-1"), Some("z run"), Some("nothing")] {
                        let wanted = |monitor: &&Monitor| {
                            let identity = &monitor.identity;
                            let names = [
                                Some(&identity.uid),
                                identity.name.as_ref(),
                                identity.collection_name.as_ref(),
                                identity.environment_name.as_ref(),
                            ];
                            let text = text.map(str::to_lowercase);
                            let is = |text: &String| {
                                names.iter().flatten().any(|name| name.to_lowercase().contains(text))
                            };
                            text.as_ref().is_none_or(is)
                                && verdict.is_none_or(|verdict| {
                                    monitor.last_run.as_ref().is_some_and(|run| run.verdict == verdict)
                                })
                                && silent.is_none_or(|is| is == monitor.cadence.silent_since.is_some())
                                && incident_open.is_none_or(|is| is == monitor.track.incident.is_some())
                                && muted_at.is_none_or(|at| {
                                    monitor.mute.as_ref().is_some_and(|mute| mute.until > at)
                                })
                        };
                        let expected: Vec<Monitor> = all.iter().filter(wanted).cloned().collect();
                        let text = text.map(str::to_owned);
                        let filter = MonitorFilter {
                            text,
                            verdict,
                            silent,
                            incident_open,
                            muted_at,
                            ..MonitorFilter::default()
                        };
                        assert_eq!(list(store, &filter, 99).await, expected, "{filter:?}");
                    }
                }
            }
        }
    }
}

pub(crate) async fn monitors_are_found_by_source_and_label_and_counted(store: &dyn Store) {
    let all = some_monitors();
    let changes = all.iter().map(|monitor| with_runs(monitor.clone(), vec![]));
    keep_monitors(store, changes.collect()).await;
    let all = sorted(all);
    let check = async |filter: MonitorFilter, wanted: &dyn Fn(&Monitor) -> bool| {
        let expected: Vec<Monitor> = all.iter().filter(|monitor| wanted(monitor)).cloned().collect();
        assert!(!expected.is_empty() && expected.len() < all.len(), "{filter:?}");
        assert_eq!(list(store, &filter, 99).await, expected, "{filter:?}");
    };
    let unmuted = MonitorFilter { unmuted_at: Some(at(9)), ..MonitorFilter::default() };
    check(unmuted, &|monitor| monitor.mute.as_ref().is_none_or(|mute| mute.until <= at(9))).await;
    let source = MonitorFilter { source: Some(SourceName::new("other")), ..MonitorFilter::default() };
    check(source, &|monitor| monitor.identity.source.as_str() == "other").await;
    let label = |value: Option<&str>| MonitorFilter {
        label: Some(("team".to_owned(), value.map(str::to_owned))),
        ..MonitorFilter::default()
    };
    check(label(None), &|monitor| monitor.identity.labels.contains_key("team")).await;
    check(label(Some("t1")), &|monitor| monitor.identity.labels.get("team").is_some_and(|team| team == "t1"))
        .await;

    let count = |is: fn(&Monitor) -> bool| all.iter().filter(|monitor| is(monitor)).count() as u64;
    let expected = MonitorCounts {
        monitors: all.len() as u64,
        silent: count(|monitor| monitor.cadence.silent_since.is_some()),
        with_incident: count(|monitor| monitor.track.incident.is_some()),
    };
    assert_eq!(store.monitor_counts().await.unwrap(), expected);
}

pub(crate) async fn pages_of_monitors_join_without_gap_or_overlap(store: &dyn Store) {
    let all = some_monitors();
    let changes = all.iter().map(|monitor| with_runs(monitor.clone(), vec![]));
    keep_monitors(store, changes.collect()).await;
    for limit in [1, 2, 5, 24, 25] {
        assert_eq!(list(store, &MonitorFilter::default(), limit).await, sorted(all.clone()));
    }
    let mut by_uid = all;
    by_uid.sort_by(|a, b| a.identity.uid.cmp(&b.identity.uid));
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let part = store.monitors_after(after, 5).await.unwrap();
        found.extend(part.into_iter().map(|row| row.monitor));
        // The one at the end of a part is renamed before the next is read.
        let Some(last) = found.last().filter(|_| found.len() % 5 == 0) else { break };
        keep_monitors(store, vec![with_runs(named(&last.identity.uid, "another name"), vec![])]).await;
        after = Some(last.identity.uid.clone());
    }
    assert_eq!(found, by_uid, "by id");
}

pub(crate) async fn a_list_of_monitors_goes_on_behind_one_that_was_renamed_or_is_gone(store: &dyn Store) {
    let all = ["a", "b", "c", "d", "e"].map(|name| named(&format!("uid of {name}"), name));
    keep_monitors(store, all.iter().map(|monitor| with_runs(monitor.clone(), vec![])).collect()).await;
    let read = async |before, limit| {
        let page = store.monitors(MonitorFilter::default(), page(before, limit)).await.unwrap();
        (page.items.into_iter().map(|row| row.monitor).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = read(None, 2).await;
    assert_eq!(first, all[..2]);
    for name in ["z", "0"] {
        keep_monitors(store, vec![with_runs(named("uid of b", name), vec![])]).await;
        let (rest, _) = read(next.clone(), 2).await;
        assert_eq!(rest, all[2..4], "the last of the page before is called {name} now");
    }
    let forgotten = vec!["uid of b".to_owned()];
    store.track(TrackChange { forgotten, ..tracked(1) }).await.unwrap();
    let (rest, next) = read(next, 9).await;
    assert_eq!((&rest[..], next), (&all[2..], None), "the last of the page before is gone");
}

pub(crate) async fn collections_read_back_and_come_when_they_are_due(store: &dyn Store) {
    let change = |uid: &str, last_at, due: Option<i64>| CollectionChange {
        watch: collection(uid, last_at),
        due_at: due.map(at),
    };
    let all = [change("a", 1, Some(30)), change("b", 2, Some(10)), change("c", 3, None)];
    store.track(TrackChange { collections: all.to_vec(), ..tracked(1) }).await.unwrap();
    let [a, b, c] = &all;
    let due = async |until, limit| store.collections_due(at(until), limit).await.unwrap();
    assert_eq!(due(30, 9).await, [b.clone(), a.clone()], "the earliest first");
    assert_eq!(due(30, 1).await, std::slice::from_ref(b));
    let listed =
        async |after: Option<&str>, limit| store.collections(after.map(str::to_owned), limit).await.unwrap();
    assert_eq!(listed(None, 9).await, all);
    assert_eq!(listed(None, 2).await, all[..2]);
    assert_eq!(listed(Some("a"), 9).await, all[1..]);

    let mut later = change("a", 9, None);
    (later.watch.name, later.watch.overdue_since) = (None, Some(at(40)));
    let changed = vec![later.clone()];
    store.track(TrackChange { collections: changed, ..tracked(1) }).await.unwrap();
    let uids = ["c", "nobody", "a"].map(str::to_owned).to_vec();
    assert_eq!(store.collections_by_uid(uids).await.unwrap(), [c.watch.clone(), later.watch]);
    assert_eq!(due(99, 9).await, std::slice::from_ref(b));
}
