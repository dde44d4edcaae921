//! A monitor and a gateway that is away now and then.

use std::collections::BTreeMap;

use postroom_core::{
    event::Verdict,
    id::{EventId, IncidentId, SourceName},
    monitor::{Effect, Identity, Input, Monitor, Numbers, Policy, Run, Watch, step},
    time::Timestamp,
};
use uuid::Uuid;

/// Plays the runs that come at `arrivals` up to `end`; gives when the gateway told of silence, and whether it told of the
/// end of one.
pub(super) fn play(arrivals: &[i64], absences: &[(i64, i64)], end: i64) -> (Vec<i64>, bool) {
    let (mut monitor, mut watch, policy) =
        (Monitor::new(identity(), Timestamp::EPOCH), Watch::always(), Policy::default());
    let (mut told, mut resumed, mut steps) = (Vec::new(), false, 0);
    let Some(first) = arrivals.first().copied() else { return (told, resumed) };
    let mut now = first;
    let mut absences = absences.iter().copied().skip_while(|(_, until)| *until <= first).peekable();
    let mut arrivals = arrivals.iter().copied().peekable();
    loop {
        let run = arrivals.peek().copied().unwrap_or(end);
        let due = monitor.due(&policy, &watch, second(now));
        let due = due.map_or(end, |due| due.as_unix_ms().div_euclid(1000).max(now));
        if let Some((from, until)) = absences.next_if(|(from, _)| *from <= run.min(due)) {
            watch.away(second(from), second(until));
            while arrivals.next_if(|at| *at < until).is_some() {}
            now = until;
            continue;
        }
        if run.min(due) >= end {
            return (told, resumed);
        }
        steps += 1;
        let came = Run {
            event: EventId::new(Uuid::from_u128(steps)),
            at: second(run),
            verdict: Verdict::Passed,
            numbers: Numbers::default(),
        };
        let input = if due < run {
            now = due;
            Input::Tick
        } else {
            now = run;
            arrivals.next();
            Input::Run(&came)
        };
        let incident = IncidentId::new(Uuid::from_u128(steps));
        for effect in step(&mut monitor, input, second(now), &policy, &watch, incident) {
            match effect {
                Effect::Silent { .. } => told.push(now),
                Effect::Resumed { .. } => resumed = true,
                other => panic!("nothing failed, and yet {other:?}"),
            }
        }
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_unix_ms(second * 1000)
}

fn identity() -> Identity {
    Identity {
        uid: "m".to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: BTreeMap::new(),
    }
}
