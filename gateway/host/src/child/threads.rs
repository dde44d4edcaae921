//! Tells the threads of the plugin from those of this process.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

/// How long a thread may take to be gone: one that was joined still ends for a moment.
const LINGER: Duration = Duration::from_millis(250);
const LOOK_AGAIN: Duration = Duration::from_millis(1);

/// Threads that this process has started for itself; the first one is always there.
static OWN: AtomicU64 = AtomicU64::new(1);

/// Says that the thread which holds it is not one of the plugin's.
#[derive(Debug)]
pub(super) struct OwnThread(());

impl OwnThread {
    pub(super) fn enter() -> Self {
        OWN.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for OwnThread {
    fn drop(&mut self) {
        OWN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How many threads the plugin has left behind.
pub(super) fn left_behind() -> u64 {
    let until = Instant::now() + LINGER;
    loop {
        let foreign = all().saturating_sub(OWN.load(Ordering::Relaxed));
        if foreign == 0 || Instant::now() >= until {
            return foreign;
        }
        thread::park_timeout(LOOK_AGAIN);
    }
}

/// All threads of the process; 0 where the kernel does not tell. Not by a list of them: whoever is locked up can only look
/// at a folder from outside, and this one has a link for each thread beside the two that every folder has.
fn all() -> u64 {
    fs::metadata("/proc/self/task").map_or(0, |folder| folder.nlink().saturating_sub(2))
}

#[cfg(test)]
mod tests;
