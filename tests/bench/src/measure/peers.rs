//! Other programs that take webhooks and pass them on, with the same body and the same receiver, beside the gateway with
//! its plugin `forward`.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;

use super::Run;
use crate::{
    gateway::{Gateway, To, pause},
    process::{self, Listening, Process},
    sink,
};

mod node_red;
mod restate;
mod webhook;

/// How long the receiver may hear nothing until what is missing counts as lost.
const SILENCE_MAX: Duration = Duration::from_secs(3);
/// How long a peer may take to start.
const START_MAX: Duration = Duration::from_secs(30);

/// A program that runs and takes webhooks.
struct Peer {
    address: std::net::SocketAddr,
    path: String,
    /// They end with it.
    _processes: Vec<Process>,
}

/// Where a peer is started, and from what.
struct Place<'a> {
    /// A fresh folder.
    folder: PathBuf,
    /// Where programs may lie, before the search path.
    programs: &'a [PathBuf],
    /// Where it is to forward to.
    sink: std::net::SocketAddr,
}

type Start = fn(&Place<'_>) -> anyhow::Result<Option<Peer>>;

/// Name, name of the figures, and how to start it; `None` is that it is not installed.
const PEERS: [(&str, &str, Start); 3] = [
    ("Node-RED", "node_red", node_red::start),
    ("Restate", "restate", restate::start),
    ("webhook", "webhook", webhook::start),
];

pub(super) fn measure(run: &mut Run) -> anyhow::Result<()> {
    let programs = folders(run.plan.peers.as_deref());
    for (name, figure, start) in PEERS {
        let sink = Listening::sink(1)?;
        let folder = run.folder(figure);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        match start(&Place { folder, programs: &programs, sink: sink.address }) {
            Ok(Some(peer)) => forward(run, figure, (peer.address, &peer.path), &sink)?,
            Ok(None) => run.figures.skip(name, "not installed"),
            Err(error) => run.figures.skip(name, &format!("{error:#}")),
        }
    }
    let sink = Listening::sink(1)?;
    let gateway = Gateway::start(&run.folder("forward"), To::Http(sink.address))?;
    forward(run, "postroom", (gateway.address, &Gateway::hook_path()), &sink)
}

/// How fast hooks are taken, and how fast they arrive.
fn forward(
    run: &mut Run,
    figure: &str,
    (address, path): (std::net::SocketAddr, &str),
    sink: &Listening,
) -> anyhow::Result<()> {
    for &connections in run.plan.peer_connections {
        crate::note(&format!("{figure}, {connections} connections"));
        let before = sink::count(sink.address)?;
        let begun = Instant::now();
        let loaded = match process::load(&run.load(address, path, connections)) {
            Ok(loaded) => loaded,
            Err(error) => {
                run.figures.skip(figure, &format!("{connections} connections: {error:#}"));
                continue;
            }
        };
        let (arrived, last) = settled(sink, before, loaded.accepted)?;
        let mut add = |name: &str, value| {
            run.figures.add(format!("peer_{figure}_{name}_c{connections}"), value);
        };
        add("rps", loaded.rate());
        add("p50_ms", loaded.p50_ms);
        add("p99_ms", loaded.p99_ms);
        add("forwarded_per_s", arrived as f64 / (last - begun).as_secs_f64());
        add("missing", loaded.accepted.saturating_sub(arrived) as f64);
    }
    Ok(())
}

/// Waits until all has arrived or nothing more comes; gives how much did, and when the last of it.
fn settled(sink: &Listening, before: u64, expected: u64) -> anyhow::Result<(u64, Instant)> {
    let (mut arrived, mut last) = (0, Instant::now());
    while arrived < expected && last.elapsed() < SILENCE_MAX {
        let now = sink::count(sink.address)? - before;
        if now > arrived {
            (arrived, last) = (now, Instant::now());
        }
        pause(Duration::from_millis(20));
    }
    Ok((arrived, last))
}

/// Where npm and an unpacked Debian package put programs.
fn folders(peers: Option<&Path>) -> Vec<PathBuf> {
    let inside = |folder: &Path| ["", "node_modules/.bin", "usr/bin"].map(|part| folder.join(part)).to_vec();
    peers.map(inside).unwrap_or_default()
}

/// A port that nobody listens on now.
fn free_port() -> anyhow::Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("cannot listen")?;
    Ok(listener.local_addr()?.port())
}

/// Asks until the answer is fine: most programs listen before they can work.
fn until_fine(mut ask: impl FnMut() -> anyhow::Result<String>) -> anyhow::Result<()> {
    let begun = Instant::now();
    loop {
        match ask() {
            Ok(_) => return Ok(()),
            Err(error) if begun.elapsed() > START_MAX => return Err(error.context("it does not start")),
            Err(_) => pause(Duration::from_millis(100)),
        }
    }
}
