use std::collections::BTreeMap;

use postroom_core::{
    id::{EventId, SourceName},
    monitor::{Counts, Identity, Numbers, Run, Watch},
    time::Timestamp,
};
use postroom_store::{Alive, MonitorChange, Options, SqliteStore, TrackChange};
use prometheus_client::encoding::text;
use uuid::Uuid;

use super::*;

fn monitor(uid: &str, name: Option<&str>) -> Monitor {
    let identity = Identity {
        uid: uid.to_owned(),
        name: name.map(str::to_owned),
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: BTreeMap::new(),
    };
    Monitor::new(identity, Timestamp::EPOCH)
}

fn rendered(metrics: &MonitorMetrics, counts: MonitorCounts, monitors: Vec<Monitor>) -> String {
    let mut registry = Registry::with_prefix("postroom");
    metrics.register(&mut registry);
    let rows: Vec<_> = monitors.into_iter().map(|monitor| MonitorRow { monitor, due_at: None }).collect();
    metrics.set(counts, &rows);
    text_of(&registry)
}

fn text_of(registry: &Registry) -> String {
    let mut rendered = String::new();
    text::encode(&mut rendered, registry).unwrap();
    rendered.lines().filter(|line| !line.starts_with("# ")).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_monitor_has_its_figures_under_its_id_and_name() {
    let run = Run {
        event: EventId::new(Uuid::nil()),
        at: Timestamp::from_unix_ms(1_790_000_000_500),
        verdict: Verdict::Failed,
        numbers: Numbers { requests: Some(4), latency_total_ms: Some(1000), ..Numbers::default() },
    };
    let mut failed = monitor("1e8eea47", Some(" Check\"out "));
    failed.last_run = Some(run);
    failed.counts = Counts { passed: 7, failed: 1, unknown: 0 };
    let counts = MonitorCounts { monitors: 3, silent: 1, with_incident: 2 };
    let rendered = rendered(&MonitorMetrics::new(1), counts, vec![failed]);
    let labels = r#"uid="1e8eea47",name="Check\"out""#;
    for line in [
        "postroom_monitors 3",
        "postroom_monitors_left_out 2",
        "postroom_monitors_silent 1",
        "postroom_incidents_open 2",
        &format!("postroom_monitor_last_verdict{{{labels}}} 0"),
        &format!("postroom_monitor_last_run_timestamp_seconds{{{labels}}} 1790000000.5"),
        &format!("postroom_monitor_last_run_request_seconds{{{labels}}} 0.25"),
        &format!("postroom_monitor_incident_open{{{labels}}} 0"),
        &format!("postroom_monitor_silent{{{labels}}} 0"),
        &format!("postroom_monitor_runs_total{{{labels},verdict=\"passed\"}} 7"),
        &format!("postroom_monitor_runs_total{{{labels},verdict=\"failed\"}} 1"),
        &format!("postroom_monitor_runs_total{{{labels},verdict=\"unknown\"}} 0"),
    ] {
        assert!(rendered.contains(&format!("{line}\n")), "no {line} in\n{rendered}");
    }
}

#[test]
fn a_monitor_that_is_gone_or_renamed_leaves_no_series() {
    let metrics = MonitorMetrics::new(10);
    let counts = MonitorCounts::default();
    rendered(&metrics, counts, vec![monitor("a", Some("old")), monitor("b", None)]);
    let rendered = rendered(&metrics, counts, vec![monitor("a", Some("new"))]);
    assert!(rendered.contains("name=\"new\"") && !rendered.contains("name=\"old\""), "{rendered}");
    assert!(!rendered.contains("uid=\"b\""), "{rendered}");
    assert!(!rendered.contains("last_verdict"), "nothing is known of a run\n{rendered}");
}

/// A store with so many monitors, each with seven passed runs.
async fn store_with(count: usize) -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let (store, ..) = SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
    let change = |number: usize| {
        let mut monitor = monitor(&format!("m-{number}"), None);
        monitor.counts = Counts { passed: 7, ..Counts::default() };
        MonitorChange { monitor, due_at: None, runs: Vec::new() }
    };
    let now = Timestamp::EPOCH;
    let change = TrackChange {
        position: None,
        alive: Alive { at: now, watch: Watch::always(), following_since: now },
        monitors: (0..count).map(change).collect(),
        incidents: Vec::new(),
        collections: Vec::new(),
        forgotten: Vec::new(),
        events: Vec::new(),
    };
    store.track(change).await.unwrap();
    (store, folder)
}

#[tokio::test]
async fn monitors_of_many_pages_have_series_up_to_the_most() {
    let (store, _folder) = store_with(7).await;
    for (max, expected) in [(0, 0), (1, 1), (3, 3), (4, 4), (7, 7), (100, 7)] {
        let found = first(&store, max, 3).await.unwrap();
        let uids: std::collections::BTreeSet<_> = found.iter().map(|row| &row.monitor.identity.uid).collect();
        assert_eq!((found.len(), uids.len()), (expected, expected), "at most {max}");
    }
    store.close().await;
}

#[tokio::test]
async fn who_measures_at_the_same_time_sees_each_run_once() {
    let (store, _folder) = store_with(1).await;
    let metrics = MonitorMetrics::new(10);
    let mut registry = Registry::default();
    metrics.register(&mut registry);
    let turn = metrics.measure(&store).await;
    let another = tokio::time::timeout(Duration::from_millis(50), metrics.measure(&store)).await;
    assert!(another.is_err(), "nobody measures before the figures are written down");
    assert!(text_of(&registry).contains("verdict=\"passed\"} 7\n"));
    drop(turn);
    drop(metrics.measure(&store).await);
    assert!(text_of(&registry).contains("verdict=\"passed\"} 7\n"));
    store.close().await;
}
