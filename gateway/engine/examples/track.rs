//! What it costs to follow runs: `cargo run --release -p postroom-engine --example track -- 10000 20` takes in 20 runs of each of
//! 10 000 monitors, and then follows them as fast as it goes, a fifth at a time.

use std::{
    collections::BTreeMap,
    env, fs, io,
    sync::Arc,
    time::{Duration, Instant},
};

use postroom_core::{
    event::{Event, Facts, Kind, Verdict},
    id::{EventId, SourceName},
};
use postroom_engine::{Clock, CommitFeed, Intake, Metrics, Parts, Retention, Sources, Tracking};
use postroom_store::{NewBody, NewEvent, Options, SqliteStore, Store, StoreError};

/// From one monitor to the next; a prime, so that each comes once in a round.
const STRIDE: u64 = 7919;
/// Events that wait for the disk together.
const TOGETHER: u64 = 1024;
const STEPS: u64 = 5;
const HOUR: Duration = Duration::from_secs(60 * 60);

fn new_event(number: u64, monitors: u64, clock: &Clock) -> NewEvent {
    let (at, round) = (clock.now(), number / monitors);
    let monitor = number * STRIDE % monitors;
    // One in fifty fails, another each round: incidents open and resolve all the time.
    let failed = (monitor + round).is_multiple_of(50);
    let body = format!(
        r#"{{"collection_name":"Orders","monitor_name":"Monitor {monitor}","monitor_uid":"{monitor:08x}","metrics":{{"errors":0,"failedTests":{},"passedTests":40,"requestCount":12,"totalLatency":{}}}}}"#,
        u8::from(failed),
        2000 + number % 700,
    );
    let uid = format!("{monitor:08x}-e976-4b60-a122-11a500000000");
    let id = u128::from(at.as_unix_ms().unsigned_abs()) << 80
        | 7 << 76
        | u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let event = Event {
        id: EventId::from_bytes(id.to_be_bytes()),
        received_at: at,
        source: SourceName::new("acme"),
        kind: Kind::MonitorRun,
        subject: Some(uid.clone()),
        ordering_key: uid.as_str().into(),
        verdict: Some(if failed { Verdict::Failed } else { Verdict::Passed }),
        facts: Facts {
            monitor_id: Some(uid),
            monitor_name: Some(format!("Monitor {monitor}")),
            collection_name: Some("Orders".to_owned()),
            ..Facts::default()
        },
        note: None,
        labels: BTreeMap::new(),
        content_type: Some("application/json".to_owned()),
        body_bytes: body.len() as u64,
        hops: 0,
    };
    let body = NewBody::Inline(body.into());
    NewEvent { event: Arc::new(event), body, targets: Vec::new(), explanations: Vec::new(), mark: None }
}

async fn accept(store: &SqliteStore, events: Vec<NewEvent>) -> Result<(), StoreError> {
    let accepted = events.into_iter().map(|event| store.accept(event));
    for accepted in accepted.collect::<Vec<_>>() {
        accepted.await?;
    }
    Ok(())
}

fn memory_mb() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kib.unwrap_or_default() / 1024)
}

async fn measure(
    monitors: u64,
    runs: u64,
    out: &mut impl io::Write,
) -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let (store, commits, newest) = SqliteStore::open(Options::new(folder.path().join("track.db")))?;
    let (store, clock, metrics) = (Arc::new(store), Clock::system(), Metrics::default());
    let shared = Arc::clone(&store) as Arc<dyn Store>;
    let intake =
        Intake::new(Sources::new([]), Vec::new(), Arc::clone(&shared), clock.clone(), metrics.clone());
    let retention = Retention {
        events: None,
        dead_letters: None,
        size_bytes: None,
        marks: HOUR,
        replays: HOUR,
        history: None,
        audit: HOUR,
    };
    let engine = postroom_engine::start(Parts {
        store: shared,
        feed: CommitFeed { commits, newest },
        intake: Arc::new(intake),
        destinations: Vec::new(),
        retention,
        tracking: Tracking::default(),
        clock: clock.clone(),
        metrics,
    });
    let all = monitors * runs;
    for step in 0..STEPS {
        let (from, to) = (all * step / STEPS, all * (step + 1) / STEPS);
        engine.put_tracking(Tracking::default());
        let mut next = from;
        while next < to {
            let end = (next + TOGETHER).min(to);
            accept(&store, (next..end).map(|number| new_event(number, monitors, &clock)).collect()).await?;
            next = end;
        }
        let (end, began) = (*store.log_end().borrow(), Instant::now());
        engine.put_tracking(Tracking { enabled: true, ..Tracking::default() });
        while store.tracker().await?.position < end {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
        let each = began.elapsed().as_secs_f64() * 1e6 / (to - from) as f64;
        writeln!(out, "runs {from} to {to}: {each:.1} µs each, {} MB in memory", memory_mb()?)?;
    }
    engine.drain(Duration::from_secs(5)).await;
    store.close().await;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = env::args().skip(1).map(|arg| arg.parse::<u64>());
    let monitors = args.next().transpose()?.unwrap_or(10_000);
    let runs = args.next().transpose()?.unwrap_or(20);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(measure(monitors, runs, &mut io::stdout()))
}
