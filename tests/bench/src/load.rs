//! The load generator: a fixed number of connections, each with one request open at a time, in a process of its own.
//!
//! It is closed: a slow answer makes the next request later. So its latencies say how long an answer takes at this many
//! open requests, not at this many requests a second.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Barrier},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::{
    bodies::{Body, SUBJECTS},
    poll::Poll,
};

mod client;

use client::{Client, Step};

/// What to send, and how.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Load {
    #[arg(long)]
    pub(crate) target: SocketAddr,
    #[arg(long)]
    pub(crate) path: String,
    /// Bytes of a collection backup; without it, monitor runs of 1 KiB.
    #[arg(long)]
    pub(crate) backup_bytes: Option<usize>,
    /// Monitors or collections that the bodies are about in turn.
    #[arg(long, default_value_t = SUBJECTS)]
    pub(crate) subjects: usize,
    #[arg(long)]
    pub(crate) connections: usize,
    #[arg(long)]
    pub(crate) threads: usize,
    /// Seconds before the measurement begins.
    #[arg(long)]
    pub(crate) warm_up: f64,
    /// Seconds that are measured.
    #[arg(long)]
    pub(crate) seconds: f64,
}

/// What came back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Loaded {
    /// Answers that took the request, while it was measured.
    pub(crate) measured: u64,
    /// All answers that took a request, those of the warm-up and of the end included.
    pub(crate) accepted: u64,
    /// Answers that did not, over the whole time.
    pub(crate) refused: u64,
    /// How long was measured, in seconds.
    pub(crate) seconds: f64,
    /// How many cores the load generator itself took.
    pub(crate) cores: f64,
    /// How long the measured answers took, in milliseconds.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Loaded {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        self.measured as f64 / self.seconds
    }
}

/// How long an answer may take before the whole run is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the load in this process.
pub(crate) fn run(load: &Load) -> anyhow::Result<Loaded> {
    let body = load.backup_bytes.map_or_else(Body::monitor_run, Body::backup);
    let threads = load.threads.clamp(1, load.connections.max(1));
    let start = Arc::new(Barrier::new(threads));
    let begun = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|thread| {
            let (load, body, start) = (load.clone(), body.clone(), Arc::clone(&start));
            thread::spawn(move || {
                let clients = (thread..load.connections).step_by(threads);
                Worker::connect(&load, &body, clients).and_then(|worker| worker.run(&load, &start))
            })
        })
        .collect();
    let mut counts = Counts::default();
    for worker in workers {
        let part = worker.join().map_err(|_| anyhow::anyhow!("a thread of the load generator panicked"))?;
        counts.add(part.with_context(|| format!("cannot go on with {}", load.target))?);
    }
    Ok(counts.summary(load, begun.elapsed()))
}

/// What one thread counted.
#[derive(Debug, Default)]
struct Counts {
    accepted: u64,
    refused: u64,
    /// Of the measured answers.
    latencies: Vec<Duration>,
}

impl Counts {
    fn add(&mut self, part: Self) {
        self.accepted += part.accepted;
        self.refused += part.refused;
        self.latencies.extend(part.latencies);
    }

    fn summary(mut self, load: &Load, elapsed: Duration) -> Loaded {
        self.latencies.sort_unstable();
        let last = self.latencies.len().saturating_sub(1);
        let at = |per_mille: usize| {
            let latency = self.latencies.get(last * per_mille / 1000);
            latency.map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
        };
        let cpu = clock_gettime(ClockId::ProcessCPUTime);
        let cpu = cpu.tv_sec as f64 + cpu.tv_nsec as f64 / 1e9;
        Loaded {
            measured: self.latencies.len() as u64,
            accepted: self.accepted,
            refused: self.refused,
            seconds: load.seconds,
            cores: cpu / elapsed.as_secs_f64(),
            p50_ms: at(500),
            p99_ms: at(990),
            p999_ms: at(999),
            max_ms: at(1000),
        }
    }
}

/// One thread with its share of the connections.
struct Worker {
    poll: Poll,
    clients: Vec<Client>,
}

impl Worker {
    fn connect(load: &Load, body: &Body, numbers: impl Iterator<Item = usize>) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut clients = Vec::new();
        for number in numbers {
            let client = Client::connect(load, body, number)?;
            poll.add(client.socket(), clients.len())?;
            clients.push(client);
        }
        Ok(Self { poll, clients })
    }

    fn run(mut self, load: &Load, start: &Barrier) -> io::Result<Counts> {
        start.wait();
        let measured_from = Instant::now() + Duration::from_secs_f64(load.warm_up);
        let end = measured_from + Duration::from_secs_f64(load.seconds);
        let mut counts = Counts::default();
        let mut open = self.clients.len();
        for (key, client) in self.clients.iter_mut().enumerate() {
            client.send(&self.poll, key)?;
        }
        let (mut ready, mut heard) = (Vec::new(), Instant::now());
        let mut buffer = vec![0; 64 * 1024];
        while open > 0 {
            self.poll.wait(PATIENCE, &mut ready)?;
            if ready.is_empty() && heard.elapsed() > PATIENCE {
                return Err(io::ErrorKind::TimedOut.into());
            }
            for &key in &ready {
                let client = &mut self.clients[key];
                let Step::Answered { status } = client.step(&self.poll, key, &mut buffer)? else { continue };
                heard = Instant::now();
                match status {
                    200..300 => counts.accepted += 1,
                    _ => counts.refused += 1,
                }
                if (200..300).contains(&status) && (measured_from..end).contains(&heard) {
                    counts.latencies.push(heard - client.sent_at());
                }
                if heard < end {
                    client.send(&self.poll, key)?;
                } else {
                    open -= 1;
                }
            }
        }
        Ok(counts)
    }
}
