use std::{path::PathBuf, sync::Arc};

use postroom_core::{id::DestinationName, time::Timestamp};
use postroom_host::{Faults, Layers, SandboxMode};
use prometheus_client::encoding::text;
use tokio::sync::watch;

use super::*;
use crate::api::NoActions;

const SINCE: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

fn ready(pid: u32, restarts: u32) -> Status {
    let (version, sandbox) = ("1.0.0".to_owned(), Layers::default());
    let faults = Faults { stale: 3, ..Faults::default() };
    Status::Ready { pid, since: SINCE, restarts, version, sandbox, health: None, faults }
}

fn backoff(restarts: u32) -> Status {
    Status::Backoff { failures: 3, restarts, last_error: "signal 6".to_owned(), next_start: SINCE }
}

/// The metrics of one plugin that goes through these states, after the last.
fn rendered(states: impl IntoIterator<Item = Status>) -> String {
    let mut registry = Registry::with_prefix("postroom");
    let metrics = ProcessMetrics::register(&mut registry);
    for status in states {
        metrics.measure(&[DestinationInfo {
            name: DestinationName::new("d"),
            plugin: "forward".to_owned(),
            plugin_version: "1.0.0".to_owned(),
            sandbox_mode: SandboxMode::BestEffort,
            status: watch::channel(status).1,
            file: PathBuf::new(),
            actions: [].into(),
            acts: Arc::new(NoActions),
        }]);
    }
    let mut rendered = String::new();
    text::encode(&mut rendered, &registry).unwrap();
    rendered
}

/// Those that only the destination tells apart.
fn samples(states: impl IntoIterator<Item = Status>) -> Vec<(String, f64)> {
    let rendered = rendered(states);
    let samples = rendered.lines().filter_map(|line| line.split_once("{destination=\"d\"} "));
    samples.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

#[test]
fn a_process_shows_what_it_takes() {
    let found = samples([ready(std::process::id(), 2)]);
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    let expected = [
        "postroom_plugin_up",
        "postroom_plugin_restarts_total",
        "postroom_plugin_resident_bytes",
        "postroom_plugin_cpu_seconds_total",
    ];
    assert_eq!(names, expected);
    assert_eq!((found[0].1, found[1].1), (1.0, 2.0));
    assert!(found[2].1 > 0.0, "{found:?}");
}

#[test]
fn a_plugin_that_is_down_shows_that_and_no_process() {
    let found = samples([ready(std::process::id(), 2), backoff(2)]);
    assert_eq!(
        found,
        [("postroom_plugin_up".to_owned(), 0.0), ("postroom_plugin_restarts_total".to_owned(), 2.0)]
    );
}

#[test]
fn restarts_only_grow_and_last_through_states_that_do_not_tell_them() {
    let own = std::process::id();
    let states = [ready(own, 1), backoff(1), Status::Starting, ready(own, 2), backoff(2), Status::Starting];
    assert_eq!(samples(states)[1], ("postroom_plugin_restarts_total".to_owned(), 2.0));
}

#[test]
fn broken_rules_are_counted_by_rule() {
    let text = rendered([ready(1, 0)]);
    assert!(text.contains("postroom_plugin_faults_total{destination=\"d\",rule=\"stale\"} 3"), "{text}");
    assert!(text.contains("postroom_plugin_faults_total{destination=\"d\",rule=\"slow\"} 0"), "{text}");
    assert!(!rendered([ready(1, 0), backoff(0)]).contains("rule="), "they belong to the process");
}
