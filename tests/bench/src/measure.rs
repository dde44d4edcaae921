//! One run: its parts in order, and what comes of them.

use std::{fs, path::PathBuf, time::Instant};

use anyhow::Context as _;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    bodies::SUBJECTS,
    figures::Figures,
    gauge::Gauge,
    load::{Load, Loaded},
    plan::{Args, Part, Plan},
    process, report,
};

mod ceiling;
mod large;
mod peers;
mod restart;
mod rounds;
mod rows;
mod stream;

/// A run in progress.
struct Run {
    plan: Plan,
    figures: Figures,
    folder: TempDir,
    begun: Instant,
}

/// Measures everything, prints the table and writes the JSON.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let mut run = Run::new(Plan::new(args))?;
    if run.plan.has(Part::Rounds) {
        ceiling::measure(&mut run)?;
        let gateway = rounds::measure(&mut run)?;
        restart::measure(&mut run, gateway)?;
    }
    if run.plan.has(Part::Large) {
        large::measure(&mut run)?;
    }
    if run.plan.has(Part::Peers) {
        peers::measure(&mut run)?;
    }
    if run.plan.has(Part::Stream) {
        stream::measure(&mut run)?;
    }
    if run.plan.has(Part::Rows) {
        rows::measure(&mut run)?;
    }
    run.end()
}

impl Run {
    fn new(plan: Plan) -> anyhow::Result<Self> {
        let scratch = plan.scratch.clone().map_or_else(process::own_folder, Ok)?;
        let folder = TempDir::with_prefix_in("bench-", &scratch)
            .with_context(|| format!("cannot make a folder in {}", scratch.display()))?;
        Ok(Self { plan, figures: Figures::default(), folder, begun: Instant::now() })
    }

    /// A folder for one gateway's data.
    fn folder(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The load of a round: monitor runs over this many connections.
    fn load(&self, target: std::net::SocketAddr, path: &str, connections: usize) -> Load {
        Load {
            target,
            path: path.to_owned(),
            backup_bytes: None,
            subjects: SUBJECTS,
            connections,
            threads: self.plan.load_threads,
            warm_up: self.plan.warm_up.as_secs_f64(),
            seconds: self.plan.measured.as_secs_f64(),
        }
    }

    /// Puts a load on a process, and keeps how fast it was under `name`, and what a request cost it.
    fn put(&mut self, name: &str, load: &Load, on: Gauge) -> anyhow::Result<Loaded> {
        let suffix = format!("c{}", load.connections);
        let before = on.cpu_seconds();
        let loaded = process::load(load)?;
        let figures = &mut self.figures;
        if let (Some(before), Some(after)) = (before, on.cpu_seconds()) {
            figures.add(format!("{name}_cpu_us_{suffix}"), (after - before) * 1e6 / loaded.accepted as f64);
        }
        figures.add(format!("{name}_rps_{suffix}"), loaded.rate());
        figures.add(format!("{name}_p50_ms_{suffix}"), loaded.p50_ms);
        figures.add(format!("{name}_p99_ms_{suffix}"), loaded.p99_ms);
        figures.add(format!("{name}_p999_ms_{suffix}"), loaded.p999_ms);
        figures.add(format!("{name}_load_cores_{suffix}"), loaded.cores);
        if loaded.refused > 0 {
            figures.add(format!("{name}_refused_{suffix}"), loaded.refused as f64);
            crate::note(&format!("{name}: {} requests were refused", loaded.refused));
        }
        Ok(loaded)
    }

    fn end(mut self) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        self.figures.fact("quick", self.plan.quick);
        self.figures.fact("rounds", self.plan.rounds);
        self.figures.fact("cores", cores);
        self.figures.fact("seconds", json!(self.begun.elapsed().as_secs_f64().round()));
        report::print(&self.figures, &self.plan)?;
        let Some(out) = &self.plan.out else { return Ok(()) };
        let text = format!("{:#}\n", self.figures.json());
        fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))
    }
}
