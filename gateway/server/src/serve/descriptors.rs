//! File descriptors: as many as the system gives, and never all of them to clients.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Kept from clients, for the store, large bodies and plugins: without it, idle strangers could keep events from being
/// stored.
const RESERVE: u64 = 256;

/// Raises this process's limit on descriptors as far as it may, and gives how many connections fit: at most `wanted`, at
/// least one.
pub(super) fn raise_for(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, ..limit };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit on file descriptors could not be raised");
            limit.current
        }
    };
    fitting(current, wanted)
}

/// `None` is no limit at all.
fn fitting(descriptors: Option<u64>, wanted: usize) -> usize {
    let free = descriptors.map_or(u64::MAX, |all| all.saturating_sub(RESERVE).max(1));
    usize::try_from(free).unwrap_or(usize::MAX).min(wanted)
}

#[cfg(test)]
mod tests;
