use postroom_core::{id::DestinationName, lane::GateState, time::Timestamp};
use postroom_engine::{DestinationLoad, Trouble};
use postroom_host::Status;
use postroom_openapi::destinations::{Destination, DestinationState, Gate};
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

const READY: Status = Status::Ready { pid: 1, since: SINCE };

#[test]
fn a_ready_plugin_is_as_open_as_its_gate() {
    for (gate, state, shown_gate) in [
        (GateState::Open, DestinationState::Ready, Gate::Open),
        (GateState::Held, DestinationState::Paused, Gate::Held),
        (GateState::Closed, DestinationState::Paused, Gate::Closed),
        (GateState::Paused, DestinationState::Paused, Gate::Paused),
        (GateState::Breaker, DestinationState::Paused, Gate::Breaker),
    ] {
        let found = shown(READY, gate);
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
    let held = shown(READY, GateState::Held);
    assert_eq!(held.paused_by.as_deref(), Some("olga"));
    assert_eq!(held.paused_since.map(|at| at.as_unix_ms()), Some(SINCE.as_unix_ms()));
    assert_eq!(shown(READY, GateState::Open).paused_by, None);
}
