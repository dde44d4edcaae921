//! The disk below it all: what one fsync costs, and how many it saw.

use std::{
    fs::{self, File},
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use rustix::fs::{major, minor};

/// Appends that one look takes.
const APPENDS: usize = 100;

/// How long it takes until 4 KiB at the end of a file are on the disk of `folder`, in ascending order.
pub(crate) fn fsyncs(folder: &Path) -> anyhow::Result<Vec<Duration>> {
    let path = folder.join("fsync");
    let context = || format!("cannot write {}", path.display());
    let mut file = File::create(&path).with_context(context)?;
    let mut times = Vec::with_capacity(APPENDS);
    for _ in 0..APPENDS {
        let begun = Instant::now();
        file.write_all(&[0x5a; 4096]).with_context(context)?;
        file.sync_data().with_context(context)?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    fs::remove_file(&path).with_context(context)?;
    Ok(times)
}

/// Counts the flushes of a disk, whoever asks for them.
#[derive(Debug, Clone)]
pub(crate) struct Flushes {
    stat: PathBuf,
}

impl Flushes {
    /// Of the disk that `folder` lies on; `None` when it is no block device, or an old kernel that does not count.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let device = folder.metadata().ok()?.dev();
        let block = PathBuf::from(format!("/sys/dev/block/{}:{}", major(device), minor(device)));
        // Only the whole disk counts them.
        let disk = if block.join("partition").exists() {
            block.canonicalize().ok()?.parent()?.to_owned()
        } else {
            block
        };
        let flushes = Self { stat: disk.join("stat") };
        flushes.count().map(|_| flushes)
    }

    pub(crate) fn count(&self) -> Option<f64> {
        const FLUSHES_COMPLETED: usize = 15;
        fs::read_to_string(&self.stat).ok()?.split_ascii_whitespace().nth(FLUSHES_COMPLETED)?.parse().ok()
    }
}
