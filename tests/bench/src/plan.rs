//! How much is measured.

use std::{path::PathBuf, thread, time::Duration};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Shorter rounds and fewer parts: under four minutes on two cores.
    #[arg(long)]
    quick: bool,
    /// The file to write the figures to, as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Measure only these parts; may be given more than once
    #[arg(long, value_enum, value_name = "PART")]
    only: Vec<Part>,
    /// A folder in whose `node_modules` Node-RED and Restate are looked for, before the search path.
    #[arg(long, value_name = "DIR")]
    peers: Option<PathBuf>,
    /// Where databases are written, on the disk that is to be measured. Not set: beside this program.
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
}

/// A part of a run that can be measured by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Part {
    /// No-op, intake and end to end in turn, and the restart with what they left waiting.
    Rounds,
    /// Backups.
    Large,
    /// Other programs.
    Peers,
    /// Ten million finished rows.
    Rows,
    /// Intake while many read the stream.
    Stream,
}

/// What one run does.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) quick: bool,
    only: Vec<Part>,
    pub(crate) out: Option<PathBuf>,
    pub(crate) peers: Option<PathBuf>,
    pub(crate) scratch: Option<PathBuf>,
    /// How often everything is measured in turn; the figures are medians.
    pub(crate) rounds: usize,
    /// Of one figure in one round.
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
    pub(crate) connections: &'static [usize],
    pub(crate) peer_connections: &'static [usize],
    /// Bytes of the backups, and how many are sent at once.
    pub(crate) backups: &'static [(usize, usize)],
    /// How long filling the store to [`WAITING`] may take; what would take longer is left out.
    pub(crate) filling_max: Duration,
    /// Threads of the load generator.
    pub(crate) load_threads: usize,
}

/// Deliveries that wait when the restart is measured.
pub(crate) const WAITING: u64 = 1_000_000;

const MEBIBYTE: usize = 1 << 20;

impl Plan {
    /// Takes what the command line says.
    pub(crate) fn new(args: &Args) -> Self {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let seconds = Duration::from_secs;
        let quick = args.quick;
        Self {
            quick,
            only: args.only.clone(),
            out: args.out.clone(),
            peers: args.peers.clone(),
            scratch: args.scratch.clone(),
            rounds: 5,
            warm_up: Duration::from_millis(if quick { 200 } else { 1000 }),
            measured: Duration::from_millis(if quick { 1000 } else { 4000 }),
            connections: &[1, 16, 64, 256],
            peer_connections: if quick { &[64] } else { &[64, 256] },
            backups: &[(MEBIBYTE, 16), (16 * MEBIBYTE, 4)],
            filling_max: if quick { seconds(50) } else { seconds(600) },
            load_threads: (cores / 2).max(1),
        }
    }

    /// Whether a part is measured.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
