//! Bounds on what the process may use up.

use std::{fs, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Applied;
use crate::sandbox::Plan;

pub(super) fn apply(plan: &Plan) -> Applied {
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, plan.descriptors)?;
    // What can be written to and is shared with nobody. Not the address space: languages with a collector reserve far
    // more of it than they use.
    limit(Resource::Data, in_use()?.saturating_add(plan.memory_bytes))?;
    Ok(())
}

/// Sets a limit for good; one that is lower stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let lower = |limit: Option<u64>| Some(limit.map_or(most, |limit| limit.min(most)));
    Ok(setrlimit(resource, Rlimit { current: lower(now.current), maximum: lower(now.maximum) })?)
}

/// What counts already, in bytes: the memory that the allocator of this program has reserved for itself, which is no use
/// to the plugin.
fn in_use() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB")?.parse().ok());
    kib.map(|kib: u64| kib * 1024).ok_or_else(|| io::Error::other("/proc/self/status has no VmData"))
}
