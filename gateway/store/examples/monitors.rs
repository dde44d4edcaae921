//! What monitors cost the store alone: `cargo run --release -p postroom-store --example monitors -- 10000 20` keeps 20
//! runs of each of 10 000 monitors, 256 monitors at a time, then lists them, and reads a year of runs every five minutes.
//! With a file as the third argument the database stays there, for a gateway to be asked about it.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    time::{Duration, Instant},
};

use postroom_core::{
    event::Verdict,
    id::{EventId, SourceName},
    monitor::{
        Identity, Monitor, Numbers, Run, Watch,
        summary::{Resolution, TimeZone, summarize},
    },
    time::Timestamp,
};
use postroom_store::{
    Alive, MonitorChange, MonitorFilter, MonitorPlace, Options, PageRequest, RunRange, SqliteStore, Store,
    StoreError, TrackChange,
};

/// Monitors of one change.
const BATCH: usize = 256;
/// From one monitor to the next in a batch; a prime, so that each comes once in a round.
const STRIDE: usize = 7919;
/// Runs of a year, one every five minutes.
const YEAR_RUNS: u64 = 365 * 24 * 12;
/// 2025-11-23T00:00:00Z: the year is over soon, so that a gateway can be asked about its last days.
const START_MS: u64 = 1_763_856_000_000;

fn run(number: u64, ms: u64) -> Run {
    let id =
        u128::from(START_MS + ms) << 80 | 7 << 76 | u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let failed = number.is_multiple_of(37);
    let numbers = Numbers {
        requests: Some(12),
        latency_total_ms: Some(2_000 + number % 700),
        passed_tests: Some(40),
        failed_tests: Some(u32::from(failed)),
        errors: Some(0),
        warnings: Some(0),
    };
    Run {
        event: EventId::from_bytes(id.to_be_bytes()),
        at: Timestamp::from_unix_ms((START_MS + ms).cast_signed()),
        verdict: if failed { Verdict::Failed } else { Verdict::Passed },
        numbers,
    }
}

fn monitor(number: u64) -> Monitor {
    // In no order, as ids are.
    let uid = format!("{:08x}-e976-4b60-a122-11a500000000", number.wrapping_mul(2_654_435_761) & 0xffff_ffff);
    let identity = Identity {
        uid,
        name: Some(format!("Orders, end to end {number}")),
        collection_name: Some("Orders".to_owned()),
        collection_id: Some("1e8eea47-e976-4b60-a122-11a50000f0f0".to_owned()),
        environment_name: Some("Production".to_owned()),
        environment_id: Some("2e8eea47-e976-4b60-a122-11a50000f0f0".to_owned()),
        source: SourceName::new("acme"),
        labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
    };
    Monitor::new(identity, Timestamp::from_unix_ms(START_MS.cast_signed()))
}

/// A monitor and what its runs in a batch make of it.
fn change(monitor: &mut Monitor, runs: Vec<Run>) -> MonitorChange {
    for run in &runs {
        monitor.counts.passed += u64::from(run.verdict == Verdict::Passed);
        monitor.counts.failed += u64::from(run.verdict == Verdict::Failed);
        monitor.track.flips = monitor.track.flips << 1 | u32::from(run.verdict == Verdict::Failed);
        monitor.track.since = Some(run.at);
        monitor.track.last_failing = Some(run.reference());
        monitor.cadence.gaps_s.push(60);
        monitor.cadence.gaps_s.truncate(32);
        monitor.last_run = Some(run.clone());
    }
    let due_at = runs.last().map(|run| run.at.plus(Duration::from_secs(300)));
    MonitorChange { monitor: monitor.clone(), due_at, runs }
}

async fn track(store: &SqliteStore, monitors: Vec<MonitorChange>) -> Result<(), StoreError> {
    let now = Timestamp::from_unix_ms(START_MS.cast_signed());
    let alive = Alive { at: now, watch: Watch::since(now), following_since: now };
    let change = TrackChange {
        position: Some(1),
        alive,
        monitors,
        incidents: Vec::new(),
        collections: Vec::new(),
        forgotten: Vec::new(),
        events: Vec::new(),
    };
    store.track(change).await
}

/// Processor time of the writer so far.
fn writer_time() -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for thread in fs::read_dir("/proc/self/task")? {
        let folder = thread?.path();
        if fs::read_to_string(folder.join("comm"))?.trim() == "store-writer" {
            let time = fs::read_to_string(folder.join("schedstat"))?;
            nanoseconds += time.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// Bytes that were sent to the disk so far.
fn written() -> io::Result<u64> {
    let counters = fs::read_to_string("/proc/self/io")?;
    let line = counters.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0))
}

async fn list(
    store: &SqliteStore,
    filter: MonitorFilter,
    before: Option<MonitorPlace>,
) -> Result<Option<MonitorPlace>, StoreError> {
    Ok(store.monitors(filter, PageRequest { before, limit: 100 }).await?.next)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1).take(2).map(|argument| argument.parse::<u64>());
    let monitors = arguments.next().transpose()?.unwrap_or(10_000);
    let rounds = arguments.next().transpose()?.unwrap_or(20);
    let folder = tempfile::tempdir()?;
    let file = env::args_os().nth(3).map_or_else(|| folder.path().join("postroom.db"), Into::into);
    let (store, _feed, _highest) = SqliteStore::open(Options::new(file.clone()))?;
    let mut out = io::stdout().lock();

    let mut all: Vec<Monitor> = (0..monitors).map(monitor).collect();
    let mut number = 0;
    for round in 0..rounds {
        let (begin, writer, bytes) = (Instant::now(), writer_time()?, written()?);
        // In no order, as runs come: a batch touches rows everywhere.
        let order: Vec<usize> = (0..all.len()).map(|place| place * STRIDE % all.len()).collect();
        for batch in order.chunks(BATCH) {
            let changes = batch.iter().map(|place| {
                number += 1;
                change(&mut all[*place], vec![run(number, round * 60_000)])
            });
            track(&store, changes.collect()).await?;
        }
        if round == 0 || (round + 1).is_multiple_of(rounds.div_ceil(4).max(1)) {
            let runs = monitors as f64;
            let per_run = |time: Duration| time.as_secs_f64() * 1e6 / runs;
            writeln!(
                out,
                "round {}: writer {:.1} µs/run, all {:.1} µs/run, written {:.0} bytes/run",
                round + 1,
                per_run(writer_time()? - writer),
                per_run(begin.elapsed()),
                (written()? - bytes) as f64 / runs,
            )?;
        }
    }

    let text = |text: &str| MonitorFilter { text: Some(text.to_owned()), ..MonitorFilter::default() };
    let failed = MonitorFilter { verdict: Some(Verdict::Failed), ..MonitorFilter::default() };
    let silent = MonitorFilter { silent: Some(false), ..text("9999") };
    for (what, filter) in [
        ("first", MonitorFilter::default()),
        ("first", MonitorFilter::default()),
        ("with a text of nearly the last", text("end 9999")),
        ("with a text of none", text("nothing")),
        ("of those that failed", failed),
        ("with a text, not silent", silent),
    ] {
        let begin = Instant::now();
        list(&store, filter, None).await?;
        writeln!(out, "page of 100 monitors, {what}: {:?}", begin.elapsed())?;
    }
    let (begin, mut next, mut pages) = (Instant::now(), None, 0);
    loop {
        pages += 1;
        next = list(&store, MonitorFilter::default(), next).await?;
        if next.is_none() {
            break;
        }
    }
    writeln!(out, "all {pages} pages: {:?}", begin.elapsed())?;

    let mut yearly = monitor(monitors);
    for first in (0..YEAR_RUNS).step_by(BATCH) {
        let runs = (first..YEAR_RUNS.min(first + BATCH as u64)).map(|number| run(number, number * 300_000));
        track(&store, vec![change(&mut yearly, runs.collect())]).await?;
    }
    let zone = TimeZone::get("Europe/Berlin")?;
    for _ in 0..3 {
        let begin = Instant::now();
        let runs = store.runs(yearly.identity.uid.clone(), RunRange::ALL).await?;
        let read = begin.elapsed();
        let days = summarize(runs.iter(), Resolution::Day, &zone).len();
        writeln!(out, "{} runs: read {read:?}, then {days} days {:?}", runs.len(), begin.elapsed() - read)?;
    }
    let begin = Instant::now();
    let newest = store.runs(yearly.identity.uid.clone(), RunRange { limit: 100, ..RunRange::ALL }).await?;
    writeln!(out, "the newest {}: {:?}", newest.len(), begin.elapsed())?;
    writeln!(out, "database: {} KiB", fs::metadata(file)?.len() / 1024)?;
    store.close().await;
    Ok(())
}
