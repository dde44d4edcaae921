use postroom_core::{id::DestinationName, lane::GateState, time::Timestamp};
use postroom_engine::{DestinationLoad, Trouble};
use postroom_host::{Layers, SandboxMode, Status};
use postroom_openapi::destinations::{self, Destination, DestinationState, Gate};
use postroom_store::Pause;
use tokio::sync::watch;

use super::destination;
use crate::api::DestinationInfo;

const SINCE: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

/// A destination whose plugin is in `status`, with this gate and the trouble "it answers 503".
fn shown(status: Status, gate: GateState) -> Destination {
    let info = DestinationInfo {
        name: DestinationName::new("a"),
        plugin: "forward".to_owned(),
        plugin_version: "1.0.0".to_owned(),
        sandbox_mode: SandboxMode::BestEffort,
        status: watch::channel(status).1,
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
    Status::Ready { pid, since: SINCE, restarts: 2, sandbox: Layers::default() }
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
