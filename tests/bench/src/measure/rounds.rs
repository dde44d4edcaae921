//! The three that are compared, in turns: the HTTP contract alone; with a store behind it; with a plugin behind that.

use std::{path::Path, time::Instant};

use super::Run;
use crate::{
    disk::{Flushes, fsyncs},
    gateway::{Gateway, To, pause},
    gauge::Gauge,
    process::{self, Listening},
};

/// What is measured with each number of connections.
struct Compared {
    noop: Listening,
    /// Its destination ends nothing, so that only the intake is measured; each event is stored with one delivery.
    intake: Gateway,
    end_to_end: Gateway,
    flushes: Option<Flushes>,
}

/// Gives the gateway that was only taken in, with all that waits in it.
pub(super) fn measure(run: &mut Run) -> anyhow::Result<Gateway> {
    let compared = Compared {
        noop: Listening::noop()?,
        intake: Gateway::start(&run.folder("intake"), To::Nowhere)?,
        end_to_end: Gateway::start(&run.folder("end-to-end"), To::Sink)?,
        flushes: Flushes::of(run.folder.path()),
    };
    compared.idle(run);
    for round in 0..run.plan.rounds {
        for connections in run.plan.connections {
            crate::note(&format!("round {} of {}, {connections} connections", round + 1, run.plan.rounds));
            // Each is first in turn, so that none always comes after the same other one.
            for turn in 0..3 {
                match (round + turn) % 3 {
                    0 => compared.noop(run, *connections)?,
                    1 => compared.intake(run, *connections)?,
                    _ => compared.end_to_end(run, *connections)?,
                }
            }
        }
        one_fsync(run)?;
    }
    ratios(run);
    if let Some(rss) = compared.end_to_end.gauge().rss_mb() {
        run.figures.add("load_rss_mb", rss);
    }
    Ok(compared.intake)
}

impl Compared {
    fn idle(&self, run: &mut Run) {
        // What a start needs for a moment only is given back by then.
        pause(std::time::Duration::from_secs(1));
        let gateway = self.end_to_end.gauge();
        if let Some(rss) = gateway.rss_mb() {
            run.figures.add("idle_rss_mb", rss);
        }
        for plugin in gateway.children() {
            if let Some(rss) = plugin.rss_mb() {
                run.figures.add("idle_plugin_rss_mb", rss);
            }
        }
    }

    fn noop(&self, run: &mut Run, connections: usize) -> anyhow::Result<()> {
        let load = run.load(self.noop.address, &Gateway::hook_path(), connections);
        run.put("noop", &load, Gauge(self.noop.process.id()))?;
        Ok(())
    }

    fn intake(&self, run: &mut Run, connections: usize) -> anyhow::Result<()> {
        let load = run.load(self.intake.address, &Gateway::hook_path(), connections);
        let gauge = self.intake.gauge();
        let (begun, flushes, written) =
            (Instant::now(), self.flushes.as_ref().and_then(Flushes::count), gauge.written_bytes());
        let loaded = run.put("intake", &load, gauge)?;
        let seconds = begun.elapsed().as_secs_f64();
        if let (Some(before), Some(after)) = (flushes, self.flushes.as_ref().and_then(Flushes::count)) {
            run.figures.add(format!("flushes_per_s_c{connections}"), (after - before) / seconds);
        }
        if let (Some(before), Some(after)) = (written, gauge.written_bytes()) {
            let name = format!("written_bytes_per_event_c{connections}");
            run.figures.add(name, (after - before) / loaded.accepted as f64);
        }
        if connections == 64 {
            run.figures.add("ack_p99_ms_c64", loaded.p99_ms);
        }
        Ok(())
    }

    /// From the first request until the outcome of the last delivery is stored: what piled up counts as time too.
    fn end_to_end(&self, run: &mut Run, connections: usize) -> anyhow::Result<()> {
        let gateway = &self.end_to_end;
        let load = run.load(gateway.address, &Gateway::hook_path(), connections);
        let begun = Instant::now();
        let loaded = process::load(&load)?;
        let backlog = gateway.waiting()?;
        let seconds = (gateway.drained()? - begun).as_secs_f64();
        let mut add = |name: &str, value| run.figures.add(format!("end_to_end_{name}_c{connections}"), value);
        add("rps", loaded.accepted as f64 / seconds);
        add("intake_rps", loaded.rate());
        add("backlog", backlog as f64);
        add("ack_p50_ms", loaded.p50_ms);
        add("ack_p99_ms", loaded.p99_ms);
        Ok(())
    }
}

fn one_fsync(run: &mut Run) -> anyhow::Result<()> {
    let folder: &Path = run.folder.path();
    let times = fsyncs(folder)?;
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    let (p50, p99) = (at(50), at(99));
    run.figures.add("fsync_p50_ms", p50);
    run.figures.add("fsync_p99_ms", p99);
    Ok(())
}

fn ratios(run: &mut Run) {
    for connections in run.plan.connections {
        let suffix = format!("c{connections}");
        for (name, of, to) in [
            ("intake_ratio", "intake_rps", "noop_rps"),
            ("intake_p99_ratio", "intake_p99_ms", "noop_p99_ms"),
            ("end_to_end_ratio", "end_to_end_rps", "noop_rps"),
        ] {
            run.figures.add_ratio(
                &format!("{name}_{suffix}"),
                &format!("{of}_{suffix}"),
                &format!("{to}_{suffix}"),
            );
        }
    }
}
