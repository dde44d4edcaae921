//! A gateway with ten million finished deliveries beside one that has hardly any.

use std::{fs, path::Path, sync::Arc, time::Instant};

use anyhow::{Context as _, ensure};
use postroom_core::{
    classify,
    delivery::DeliveryState,
    event::Event,
    id::{DestinationName, EventId, RouteName, SourceName},
    outcome::{Outcome, OutcomeKind},
    route::Target,
    time::Timestamp,
};
use postroom_store::{AttemptRecord, DeliveryChange, NewEvent, Options, SqliteStore, Store as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::Run;
use crate::{
    bodies::{Body, SUBJECTS, subject},
    gateway::{Gateway, To},
};

const ROWS: u64 = 10_000_000;
/// Rows are small, because it is their number that matters here.
const BODY: &[u8] = b"{}";
/// Events written at once.
const BATCH: u64 = 1000;
/// Room on the disk without which none of this is begun, in bytes.
const ROOM: u64 = 16_000_000_000;
/// The first moment of the rows, in milliseconds since 1970, and the time between two of them.
const FIRST_AT: i64 = 1_767_225_600_000;
const STEP_MS: i64 = 250;

/// What is asked for as people do, newest first.
const LISTS: [(&str, &str); 10] = [
    ("deliveries", "/api/v1/deliveries?limit=50"),
    ("dead_letters", "/api/v1/deliveries?state=dead&limit=50"),
    ("events", "/api/v1/events?kind=monitor_run&limit=50"),
    ("events_of_monitor", "/api/v1/events?subject=1e8eea47-e976-4b60-a122-11a50000-0001&limit=50"),
    // In the middle of all that there is.
    ("events_of_a_day", "/api/v1/events?received_before=2026-01-15T00:00:00Z&limit=50"),
    (
        "events_of_monitor_of_a_day",
        "/api/v1/events?monitor=1e8eea47-e976-4b60-a122-11a50000-0001&received_before=2026-01-15T00:00:00Z&limit=50",
    ),
    // What no index has, and nothing matches: a page at its bound.
    ("events_with_label", "/api/v1/events?label=team%3Dnobody&limit=50"),
    ("events_with_text", "/api/v1/events?text=nothing+like+it&limit=50"),
    ("events_followed", "/api/v1/events?kind=monitor_run&after=oldest&limit=50"),
    ("stats", "/api/v1/stats"),
];
/// How often each is asked for in a round.
const ASKED: usize = 20;

pub(super) fn measure(run: &mut Run) -> anyhow::Result<()> {
    const WHAT: &str = "intake and lists with 10 M finished deliveries";
    if run.plan.quick {
        run.figures.skip(WHAT, "not with --quick");
        return Ok(());
    }
    let room = rustix::fs::statvfs(run.folder.path()).map(|stat| stat.f_bavail * stat.f_frsize)?;
    if room < ROOM {
        run.figures.skip(
            WHAT,
            &format!("the disk has {} GB left, and it takes {}", room / 1_000_000_000, ROOM / 1_000_000_000),
        );
        return Ok(());
    }
    let folder = run.folder("many");
    let begun = Instant::now();
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(fill(&folder))?;
    run.figures.fact("filling_rows_s", begun.elapsed().as_secs());

    let few = Gateway::start(&run.folder("few"), To::Nowhere)?;
    let many = Gateway::start(&folder, To::Nowhere)?;
    for round in 0..run.plan.rounds {
        crate::note(&format!("few and many rows, round {} of {}", round + 1, run.plan.rounds));
        let pair = [("rows_few", &few), ("rows_10m", &many)];
        // Each is first in turn.
        for turn in 0..pair.len() {
            let (name, gateway) = pair[(round + turn) % pair.len()];
            let load = run.load(gateway.address, &Gateway::hook_path(), 64);
            run.put(name, &load, gateway.gauge())?;
            for (list, path) in LISTS {
                let median = list_ms(gateway, path)?;
                run.figures.add(format!("{name}_list_{list}_ms"), median);
            }
        }
    }
    run.figures.add_ratio("rows_10m_intake_ratio", "rows_10m_rps_c64", "rows_few_rps_c64");
    for (list, _) in LISTS {
        let name = format!("rows_10m_list_{list}_ratio");
        run.figures.add_ratio(
            &name,
            &format!("rows_10m_list_{list}_ms"),
            &format!("rows_few_list_{list}_ms"),
        );
    }
    Ok(())
}

/// The median time of one list, in milliseconds.
fn list_ms(gateway: &Gateway, path: &str) -> anyhow::Result<f64> {
    let mut times = Vec::with_capacity(ASKED);
    for _ in 0..ASKED {
        let begun = Instant::now();
        gateway.get(path)?;
        times.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times[ASKED / 2])
}

/// Writes the rows by the store itself, as the gateway would have.
async fn fill(folder: &Path) -> anyhow::Result<()> {
    let data = folder.join("data");
    fs::create_dir_all(&data).with_context(|| format!("cannot make {}", data.display()))?;
    // Nobody reads the feed, and the store does not mind.
    let (store, _feed, _newest) = SqliteStore::open(Options::new(data.join("postroom.db")))?;
    let store = Arc::new(store);
    for first in (0..ROWS).step_by(usize::try_from(BATCH)?) {
        if first % 500_000 == 0 {
            crate::note(&format!("{first} of {ROWS} rows"));
        }
        let mut accepting = JoinSet::new();
        for number in first..first + BATCH {
            let (store, event) = (Arc::clone(&store), new_event(number));
            accepting.spawn(async move { store.accept(event).await });
        }
        let mut changes = Vec::new();
        for accepted in accepting.join_all().await {
            changes.extend(accepted?.deliveries.into_iter().map(|id| DeliveryChange {
                id,
                state: DeliveryState::Delivered,
                attempts: Some(1),
                due: None,
                at: moment(first),
                attempt: Some(AttemptRecord {
                    started_at: moment(first),
                    finished_at: moment(first),
                    outcome: Outcome::of(OutcomeKind::Delivered),
                }),
            }));
        }
        ensure!(changes.len() as u64 == BATCH, "every event has one delivery");
        store.record(changes).await?;
    }
    store.close().await;
    Ok(())
}

fn new_event(number: u64) -> NewEvent {
    let mut body = Body::monitor_run();
    let place = body.bytes.len() - body.subject_from_end();
    let which = usize::try_from(number % SUBJECTS as u64).unwrap_or_default();
    body.bytes[place..place + 4].copy_from_slice(&subject(which));
    let source = SourceName::new("postman");
    let seen = classify::classify(&body.bytes, source.as_str());
    let received_at = moment(number);
    let id = Uuid::from_u128(
        u128::from(received_at.as_unix_ms().unsigned_abs()) << 80 | 7 << 76 | 2 << 62 | u128::from(number),
    );
    let event = Event {
        id: EventId::new(id),
        received_at,
        source,
        kind: seen.kind,
        subject: seen.subject,
        ordering_key: seen.ordering_key.into(),
        verdict: seen.verdict,
        facts: seen.facts,
        note: seen.note,
        labels: std::collections::BTreeMap::new(),
        content_type: Some("application/json".to_owned()),
        body_bytes: BODY.len() as u64,
        hops: 0,
    };
    NewEvent {
        event: Arc::new(event),
        body: BODY.to_vec().into(),
        targets: vec![Target {
            destination: DestinationName::new("sink"),
            route: RouteName::new("everything"),
        }],
        explanations: Vec::new(),
        mark: None,
    }
}

fn moment(number: u64) -> Timestamp {
    Timestamp::from_unix_ms(FIRST_AT + STEP_MS * i64::try_from(number).unwrap_or_default())
}
