//! What the fake gateway gives.

use super::SOURCE;
use crate::{
    deliveries::{Attempt, Delivery, DeliveryFilter, DeliveryState, OutcomeKind, OutcomeSummary},
    destinations::{
        Destination, DestinationState, Gate, HealthState, MissingLayer, PluginFaults, PluginHealth,
        PluginProcess, Sandbox, SandboxMode,
    },
    events::{Event, EventDelivery, Kind, NamedId, RouteResult, Verdict},
    reload::Reload,
    replays::{Replay, ReplayProgress, ReplayState},
    time::Timestamp,
};

/// An event whose id ends in its number. Those with an even number came without a Content-Type.
pub(crate) fn event(number: usize) -> Event {
    Event {
        id: format!("0192f0c1-2b7e-7c3a-9d52-{number:012}"),
        received_at: Timestamp::from_unix_ms(1_790_000_000_125),
        source: SOURCE.to_owned(),
        made_by: None,
        kind: Kind::MonitorRun,
        subject: Some("1e8eea47".to_owned()),
        verdict: Some(Verdict::Failed),
        monitor: Some(NamedId { id: Some("1e8eea47".to_owned()), name: None }),
        collection: None,
        environment: None,
        activity: None,
        note: None,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: (number % 2 == 1).then(|| "text/html".to_owned()),
        body_bytes: 8,
        deliveries: Some(vec![EventDelivery {
            id: number.to_string(),
            destination: "itoc360".to_owned(),
            route: "monitor runs".to_owned(),
            state: DeliveryState::Retrying,
            attempts: 1,
        }]),
        routes: Some(vec![RouteResult {
            name: "backups".to_owned(),
            matched: false,
            reasons: vec!["the kind is monitor_run, not collection_backup".to_owned()],
        }]),
    }
}

pub(super) fn delivery(number: usize) -> Delivery {
    let at = Timestamp::from_unix_ms(1_790_000_000_000);
    let message = Some("the target answered 503".to_owned());
    let code = Some("http_503".to_owned());
    Delivery {
        id: number.to_string(),
        event_id: event(number).id,
        destination: "itoc360".to_owned(),
        route: "monitor runs".to_owned(),
        replay_of: None,
        replayed_by: None,
        replay: None,
        lane: "1e8eea47".to_owned(),
        state: DeliveryState::Retrying,
        attempts_made: 1,
        next_attempt_at: Some(at),
        created_at: at,
        finished_at: None,
        last_outcome: Some(OutcomeSummary {
            kind: OutcomeKind::Retry,
            code: code.clone(),
            message: message.clone(),
        }),
        attempts: Some(vec![Attempt {
            number: 1,
            started_at: at,
            finished_at: at,
            outcome: OutcomeKind::Retry,
            code,
            message,
            record: Some([("status".to_owned(), 503.into())].into()),
        }]),
    }
}

pub(super) fn reload() -> Reload {
    Reload {
        generation: 2,
        fingerprint: "0123456789abcdef".to_owned(),
        reloaded: vec!["itoc360".to_owned()],
        rotated: Vec::new(),
        added: Vec::new(),
        removed: Vec::new(),
        unchanged: vec!["backups".to_owned()],
        applied: vec!["destination.itoc360.config".to_owned()],
        needs_restart: vec!["server.listen".to_owned()],
    }
}

pub(super) fn destination() -> Destination {
    Destination {
        name: "itoc360".to_owned(),
        plugin: "itoc360".to_owned(),
        plugin_version: Some("0.1.0".to_owned()),
        sandbox: Some(Sandbox {
            mode: SandboxMode::BestEffort,
            active: vec!["no_new_privs".to_owned(), "seccomp".to_owned()],
            missing: vec![MissingLayer { layer: "landlock".to_owned(), reason: "turned off".to_owned() }],
        }),
        process: Some(PluginProcess {
            pid: 4711,
            since: Timestamp::from_unix_ms(1_790_000_000_000),
            restarts: 1,
            memory_bytes: Some(3_500_000),
            threads: Some(4),
            faults: PluginFaults { stale: 0, slow: 0 },
        }),
        health: Some(PluginHealth {
            state: HealthState::Unavailable,
            since: Timestamp::from_unix_ms(1_790_000_000_000),
            detail: Some([("message".to_owned(), "no answer".into())].into()),
        }),
        backoff: None,
        state: DestinationState::Ready,
        detail: None,
        gate: Gate::Held,
        paused_until: None,
        paused_by: Some("me".to_owned()),
        paused_since: Some(Timestamp::from_unix_ms(1_790_000_000_000)),
        in_flight: 1,
        waiting: 2,
        behind: false,
    }
}

pub(super) fn replay(number: usize) -> Replay {
    Replay {
        id: number.to_string(),
        state: ReplayState::Running,
        filter: DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() },
        per_second: 50,
        count: 7,
        made: 3,
        progress: Some(ReplayProgress { waiting: 1, delivered: 2, dead: 0, other: 0 }),
        created_by: "olga".to_owned(),
        created_at: Timestamp::from_unix_ms(1_790_000_000_000),
        finished_at: None,
    }
}
