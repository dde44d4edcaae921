//! The way to a plugin and back, without a gateway round it: `cargo xtask bench plugin`.
//!
//! The same two plugins, one in C and one with the SDK, in a process of their own, as the gateway runs them, and in the
//! process of whoever delivers, as it never does: the difference is what the isolation costs. All are measured in turns,
//! each by the program `hop` of `gateway/host`.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::json;
use tempfile::TempDir;

use crate::{figures::Figures, note, process::own_folder, say};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Shorter rounds: under two minutes.
    #[arg(long)]
    quick: bool,
    /// The file to write the figures to, as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is compared: a name for the figures, whether it has a process of its own, whether it is written with the SDK.
const SIDES: [(&str, &str, bool); 4] = [
    ("in_process_c", "in-process", false),
    ("in_process_sdk", "in-process", true),
    ("child_c", "child", false),
    ("child_sdk", "child", true),
];
const BODIES: [(&str, usize); 3] = [("1kib", 1 << 10), ("64kib", 1 << 16), ("1mib", 1 << 20)];
/// One delivery at a time says how long it takes, many at once say how many there can be.
const AT_ONCE: [(&str, u32); 2] = [("alone", 1), ("together", 64)];
const ROUNDS: usize = 5;

/// What `hop` prints.
#[derive(Debug, Deserialize)]
struct Measured {
    rps: f64,
    p50_us: f64,
    p99_us: f64,
}

/// Measures everything, prints the table and writes the JSON.
pub(crate) fn run(args: &Args) -> anyhow::Result<()> {
    let seconds = if args.quick { "0.2" } else { "1" };
    let begun = Instant::now();
    let folder = TempDir::with_prefix("postroom-bench-").context("cannot make a folder")?;
    let in_c = compile(folder.path())?;
    let with_sdk = own_folder()?.join("libpostroom_bench_sink.so");
    let mut figures = Figures::default();
    for round in 0..ROUNDS {
        note(&format!("round {} of {ROUNDS}", round + 1));
        for (size, bytes) in BODIES {
            for (together, at_once) in AT_ONCE {
                for turn in 0..SIDES.len() {
                    // Each is first in turn, so that none always comes after the same other one.
                    let (name, side, is_sdk) = SIDES[(round + turn) % SIDES.len()];
                    let library = if is_sdk { &with_sdk } else { &in_c };
                    let measured = measure(side, library, at_once, bytes, seconds)?;
                    let figure = |of: &str| format!("{name}_{together}_{of}_{size}");
                    figures.add(figure("rps"), measured.rps);
                    figures.add(figure("p50_us"), measured.p50_us);
                    figures.add(figure("p99_us"), measured.p99_us);
                }
            }
        }
    }
    compare(&mut figures);
    figures.fact("quick", args.quick);
    figures.fact("rounds", ROUNDS);
    figures.fact("cores", std::thread::available_parallelism().map_or(0, usize::from));
    figures.fact("seconds", json!(begun.elapsed().as_secs_f64().round()));
    say(&table(&figures))?;
    let Some(out) = &args.out else { return Ok(()) };
    fs::write(out, format!("{:#}\n", figures.json()))
        .with_context(|| format!("cannot write {}", out.display()))
}

/// Compiles the plugin in C.
fn compile(folder: &Path) -> anyhow::Result<PathBuf> {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/sink/sink.c");
    let headers = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sdk/c");
    let library = folder.join("libpostroom_plugin_sink_c.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let flags = ["-std=c99", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-I", headers, source, "-o"];
    let done = Command::new(compiler).args(flags).arg(&library).status();
    if !done.context("the bench needs a C compiler")?.success() {
        bail!("cannot compile {source}");
    }
    Ok(library)
}

fn measure(
    side: &str,
    library: &Path,
    at_once: u32,
    bytes: usize,
    seconds: &str,
) -> anyhow::Result<Measured> {
    let hop = own_folder()?.join("examples/hop");
    let mut command = Command::new(&hop);
    command.arg(side).arg(library).args([&at_once.to_string(), &bytes.to_string(), seconds]);
    let output = command.output().with_context(|| format!("cannot start {}", hop.display()))?;
    if !output.status.success() {
        bail!("{} failed: {}", hop.display(), String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout)
        .with_context(|| format!("cannot read what {} found", hop.display()))
}

/// What a process of its own costs a plugin.
fn compare(figures: &mut Figures) {
    for plugin in ["c", "sdk"] {
        for (size, _) in BODIES {
            let of = |side: &str, figure: &str| format!("{side}_{plugin}_{figure}_{size}");
            let rps = "together_rps";
            figures.add_ratio(&of("ratio", rps), &of("child", rps), &of("in_process", rps));
            let median = |side| figures.median(&of(side, "alone_p50_us"));
            if let (Some(child), Some(in_process)) = (median("child"), median("in_process")) {
                figures.add(of("added", "alone_p50_us"), child - in_process);
            }
        }
    }
}

fn table(figures: &Figures) -> String {
    let titles = ["alone p50 us", "alone p99 us", "alone/s", "64 p50 us", "64 p99 us", "64 at once/s"];
    let names =
        ["alone_p50_us", "alone_p99_us", "alone_rps", "together_p50_us", "together_p99_us", "together_rps"];
    let cells = |cells: Vec<String>| cells.iter().map(|cell| format!("{cell:>14}")).collect::<String>();
    let mut lines = vec![
        format!("medians of {ROUNDS} rounds; a body over 32 KiB goes to a process as a file"),
        format!("{:<6}{:<15}{}", "body", "plugin", cells(titles.map(str::to_owned).to_vec())),
    ];
    for (size, _) in BODIES {
        for (side, ..) in SIDES {
            let value = |name: &str| figures.median(&format!("{side}_{name}_{size}")).unwrap_or_default();
            let values = names.map(|name| format!("{:.1}", value(name))).to_vec();
            lines.push(format!("{size:<6}{:<15}{}", side.replace('_', " "), cells(values)));
        }
    }
    for (title, name, goal) in [
        ("child / in-process, SDK, 1 KiB, 64 at once", "ratio_sdk_together_rps_1kib", ">= 0.5"),
        ("child - in-process, SDK, 1 KiB, p50 us", "added_sdk_alone_p50_us_1kib", "<= 25"),
        ("child - in-process, C, 1 KiB, p50 us", "added_c_alone_p50_us_1kib", ""),
        ("child - in-process, SDK, 1 MiB, p50 us", "added_sdk_alone_p50_us_1mib", ""),
    ] {
        lines.push(format!("{title:<48}{:>10.2}  {goal}", figures.median(name).unwrap_or_default()));
    }
    lines.join("\n")
}
