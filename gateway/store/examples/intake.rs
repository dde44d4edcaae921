//! How fast the store alone takes events in: `cargo run --release -p postroom-store --example intake -- 256 5`
//! accepts from 256 tasks for 5 seconds, each event with a body of 1 KiB and one delivery.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write as _},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use postroom_core::{
    event::{Event, Facts, Kind, Verdict},
    id::{DestinationName, EventId, RouteName, SourceName},
    route::{Explanation, Target},
    time::Timestamp,
};
use postroom_store::{NewBody, NewEvent, Options, SqliteStore, Store};

/// Monitors that the events are about, one after the other.
const MONITORS: u64 = 1000;
/// Events each millisecond of the made-up clock that stamps them.
const EVENTS_PER_MS: u64 = 50;

fn new_event(number: u64) -> NewEvent {
    let ms = 1_800_000_000_000 + number / EVENTS_PER_MS;
    // Like a UUIDv7: sorted by time, at random within a millisecond.
    let id = u128::from(ms) << 80 | 7 << 76 | u128::from(number.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let monitor = format!("1e8eea47-e976-4b60-a122-11a50000{:04x}", number % MONITORS);
    let event = Event {
        id: EventId::from_bytes(id.to_be_bytes()),
        received_at: Timestamp::from_unix_ms(ms.cast_signed()),
        source: SourceName::new("acme"),
        kind: Kind::MonitorRun,
        subject: Some(monitor.clone()),
        ordering_key: monitor.as_str().into(),
        verdict: Some(Verdict::Passed),
        facts: Facts { monitor_id: Some(monitor), ..Facts::default() },
        note: None,
        labels: BTreeMap::new(),
        content_type: Some("application/json".to_owned()),
        body_bytes: 1024,
        hops: 0,
    };
    let route = RouteName::new("monitor runs");
    NewEvent {
        event: Arc::new(event),
        body: NewBody::Inline(vec![b'x'; 1024].into()),
        targets: vec![Target { destination: DestinationName::new("itoc360"), route: route.clone() }],
        explanations: vec![Explanation { route, matched: true, reasons: Vec::new() }],
        mark: None,
    }
}

/// Processor time of each thread so far, by name, in nanoseconds.
fn thread_times() -> io::Result<BTreeMap<String, u64>> {
    let mut times = BTreeMap::new();
    for thread in fs::read_dir("/proc/self/task")? {
        let folder = thread?.path();
        let name = fs::read_to_string(folder.join("comm"))?;
        let time = fs::read_to_string(folder.join("schedstat"))?;
        let time = time.split(' ').next().and_then(|time| time.parse::<u64>().ok()).unwrap_or(0);
        *times.entry(name.trim().to_owned()).or_default() += time;
    }
    Ok(times)
}

/// Bytes that were sent to the disk so far.
fn written() -> io::Result<u64> {
    let counters = fs::read_to_string("/proc/self/io")?;
    let line = counters.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    Ok(line.and_then(|bytes| bytes.parse().ok()).unwrap_or(0))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = env::args().skip(1).map(|argument| argument.parse::<u64>());
    let tasks = arguments.next().transpose()?.unwrap_or(256);
    let seconds = arguments.next().transpose()?.unwrap_or(5);
    let folder = tempfile::tempdir()?;
    let (store, _feed, _highest) = SqliteStore::open(Options::new(folder.path().join("postroom.db")))?;
    let store = Arc::new(store);
    let (next, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let begin = Instant::now();
    let accepting = (0..tasks).map(|_| {
        let (store, next, stop) = (Arc::clone(&store), Arc::clone(&next), Arc::clone(&stop));
        tokio::spawn(async move {
            let mut took = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let new = new_event(next.fetch_add(1, Ordering::Relaxed));
                let begin = Instant::now();
                store.accept(new).await?;
                took.push(begin.elapsed());
            }
            Ok::<_, postroom_store::StoreError>(took)
        })
    });
    let accepting: Vec<_> = accepting.collect();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut took = Vec::new();
    for task in accepting {
        took.extend(task.await??);
    }
    let elapsed = begin.elapsed();

    took.sort_unstable();
    let events = took.len() as f64;
    let quantile = |q: usize| took.get(took.len() * q / 1000).copied().unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(out, "{tasks} tasks: {:.0} events/s", events / elapsed.as_secs_f64())?;
    writeln!(out, "p50 {:?}, p99 {:?}, p99.9 {:?}", quantile(500), quantile(990), quantile(999))?;
    writeln!(out, "written: {:.0} bytes/event", written()? as f64 / events)?;
    for (name, nanoseconds) in thread_times()? {
        writeln!(out, "thread {name}: {:.1} µs/event", nanoseconds as f64 / 1000.0 / events)?;
    }
    store.close().await;
    Ok(())
}
