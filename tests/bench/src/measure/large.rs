//! Collection backups: how many, how long, and how much memory one large one takes.

use super::Run;
use crate::{
    gateway::{Gateway, To},
    load::Load,
    process,
};

/// The backup whose memory is measured, in bytes.
const LARGE_BYTES: usize = 50_000_000;

pub(super) fn measure(run: &mut Run) -> anyhow::Result<()> {
    throughput(run)?;
    memory(run)
}

fn throughput(run: &mut Run) -> anyhow::Result<()> {
    let gateway = Gateway::start(&run.folder("large"), To::Nowhere)?;
    for (bytes, connections) in run.plan.backups {
        let mebibytes = bytes >> 20;
        crate::note(&format!("backups of {mebibytes} MiB, {connections} connections"));
        let mut load = run.load(gateway.address, &Gateway::hook_path(), *connections);
        load.backup_bytes = Some(*bytes);
        let loaded = process::load(&load)?;
        let mut add = |name: &str, value| run.figures.add(format!("backup_{mebibytes}mib_{name}"), value);
        add("rps", loaded.rate());
        add("mb_per_s", loaded.rate() * *bytes as f64 / 1e6);
        add("p50_ms", loaded.p50_ms);
        add("p99_ms", loaded.p99_ms);
        add("p999_ms", loaded.p999_ms);
    }
    Ok(())
}

fn memory(run: &mut Run) -> anyhow::Result<()> {
    let gateway = Gateway::start(&run.folder("memory"), To::Nowhere)?;
    let one = |bytes| -> anyhow::Result<()> {
        let load = Load {
            backup_bytes: Some(bytes),
            connections: 1,
            threads: 1,
            // One request is sent before the end is looked at.
            warm_up: 0.0,
            seconds: 0.0,
            ..run.load(gateway.address, &Gateway::hook_path(), 1)
        };
        let loaded = process::load(&load)?;
        anyhow::ensure!(loaded.accepted == 1, "a backup of {bytes} bytes was not taken");
        Ok(())
    };
    crate::note("one backup of 50 MB");
    // What any first large body costs once is no cost of this one.
    one(1 << 20)?;
    let before = gateway.gauge().rss_peak_mb();
    one(LARGE_BYTES)?;
    if let (Some(before), Some(after)) = (before, gateway.gauge().rss_peak_mb()) {
        run.figures.add("backup_50mb_extra_mb", after - before);
    }
    Ok(())
}
