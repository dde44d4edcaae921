use std::{path::PathBuf, sync::Arc};

use postroom_core::{id::DestinationName, lane::GateState, time::Timestamp};
use postroom_engine::{DestinationLoad, Trouble};
use postroom_host::{Faults, HealthState, Layers, PluginHealth, SandboxMode, Status};
use postroom_openapi::destinations::{self, Destination, DestinationState, Gate};
use postroom_store::Pause;
use tokio::sync::watch;

use super::destination;
use crate::api::{DestinationInfo, NoActions};

const SINCE: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

/// A destination whose plugin is in `status`, with this gate and the trouble "it answers 503".
fn shown(status: Status, gate: GateState) -> Destination {
    let info = DestinationInfo {
        name: DestinationName::new("a"),
        plugin: "forward".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        sandbox_mode: SandboxMode::BestEffort,
        status: watch::channel(status).1,
        file: PathBuf::new(),
        actions: [].into(),
        acts: Arc::new(NoActions),
    };
    let load = DestinationLoad {
        in_flight: 1,
        paused_until: None,
        gate,
        behind: false,
        paused_by: (gate == GateState::Held).then(|| Pause { at: SINCE, by: "olga".to_owned() }),
        trouble: Some(Trouble { since: SINCE, reason: "it answers 503".to_owned() }),
    };
    destination(&info, load, 3)
}

fn ready(pid: u32) -> Status {
    Status::Ready {
        pid,
        since: SINCE,
        restarts: 2,
        version: "1.2.3".to_owned(),
        sandbox: Layers::default(),
        health: None,
        faults: Faults::default(),
    }
}

#[test]
fn a_ready_plugin_is_as_open_as_its_gate() {
    for (gate, state, shown_gate) in [
        (GateState::Open, DestinationState::Ready, Gate::Open),
        (GateState::Held, DestinationState::Paused, Gate::Held),
        (GateState::Closed, DestinationState::Paused, Gate::Closed),
        (GateState::Paused, DestinationState::Paused, Gate::Paused),
        (GateState::Breaker, DestinationState::Paused, Gate::Breaker),
    ] {
        let found = shown(ready(1), gate);
        assert_eq!((found.state, found.gate), (state, shown_gate));
        let since = "failing since 2026-09-21T14:13:20.000Z: it answers 503";
        let detail = if gate == GateState::Paused { "it answers 503" } else { since };
        assert_eq!(found.detail.as_deref(), Some(detail), "{gate:?}");
    }
}

#[test]
fn what_keeps_the_plugin_away_comes_before_the_gate() {
    let refused = shown(Status::Refused { reason: "no such folder".to_owned() }, GateState::Breaker);
    assert_eq!(refused.state, DestinationState::Refused);
    assert_eq!(refused.detail.as_deref(), Some("no such folder"));
    assert_eq!(refused.gate, Gate::Breaker);
}

#[test]
fn a_persons_pause_says_who_and_when() {
    let held = shown(ready(1), GateState::Held);
    assert_eq!(held.paused_by.as_deref(), Some("olga"));
    assert_eq!(held.paused_since.map(|at| at.as_unix_ms()), Some(SINCE.as_unix_ms()));
    assert_eq!(shown(ready(1), GateState::Open).paused_by, None);
}

#[test]
fn the_process_is_shown_while_there_is_one() {
    let own = shown(ready(std::process::id()), GateState::Open);
    let process = own.process.unwrap();
    assert_eq!((process.pid, process.restarts), (std::process::id().into(), 2));
    assert!(process.memory_bytes > Some(0) && process.threads > Some(0), "{process:?}");
    assert_eq!(own.sandbox.unwrap().mode, destinations::SandboxMode::BestEffort);
    let gone = shown(Status::Starting, GateState::Open);
    assert_eq!((gone.process, gone.sandbox), (None, None));
}

#[test]
fn what_the_plugin_says_of_itself_is_shown() {
    assert_eq!(shown(ready(1), GateState::Open).health, None);
    let detail = serde_json::json!({ "message": "no disk", "tries": 3 });
    let health =
        PluginHealth { state: HealthState::Unavailable, detail: detail.as_object().cloned(), since: SINCE };
    let Status::Ready { pid, since, restarts, version, sandbox, .. } = ready(1) else { unreachable!() };
    let faults = Faults { stale: 2, slow: 1, ..Faults::default() };
    let status = Status::Ready { pid, since, restarts, version, sandbox, health: Some(health), faults };
    let shown = shown(status, GateState::Open);
    let process = shown.process.as_ref().unwrap();
    assert_eq!((process.faults.stale, process.faults.slow), (2, 1));
    assert_eq!(shown.state, DestinationState::Ready, "that is for the target to say");
    let health = shown.health.unwrap();
    assert_eq!(health.state, destinations::HealthState::Unavailable);
    assert_eq!(serde_json::json!(health.detail), detail);
}

#[test]
fn failures_are_shown_while_the_plugin_is_down() {
    let (next_start, last_error) = (SINCE, "the plugin process ended: signal 6".to_owned());
    let backoff = Status::Backoff { failures: 3, restarts: 7, last_error: last_error.clone(), next_start };
    let found = shown(backoff, GateState::Open);
    assert_eq!((found.state, found.detail.as_ref()), (DestinationState::BackingOff, Some(&last_error)));
    let backoff = found.backoff.unwrap();
    assert_eq!((backoff.failures, backoff.restarts, &backoff.last_error), (3, 7, &last_error));
    assert_eq!(backoff.next_start.as_unix_ms(), SINCE.as_unix_ms());
    assert_eq!(shown(ready(1), GateState::Open).backoff, None);
}
