//! Bounds on what the process may use up.

use std::{fs, io};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::Applied;
use crate::sandbox::{Place, Plan};

pub(super) fn apply(plan: &Plan, _: &mut Vec<Place>) -> Applied {
    limit(Resource::Core, 0)?;
    limit(Resource::Nofile, plan.descriptors)?;
    // What can be written to and is shared with nobody. Not the address space: languages with a collector reserve far
    // more of it than they use.
    let data = in_use()?.saturating_add(plan.memory_bytes).saturating_add(plan.stacks_bytes);
    limit_for_now(Resource::Data, data, data.saturating_add(plan.pool_bytes))?;
    Ok(())
}

/// Adds the stacks of the threads on which deliveries block.
pub(super) fn make_room_for_pool() -> io::Result<()> {
    let now = getrlimit(Resource::Data);
    Ok(setrlimit(Resource::Data, Rlimit { current: now.maximum, ..now })?)
}

/// Sets a limit for good; one that is lower stays.
fn limit(resource: Resource, most: u64) -> io::Result<()> {
    limit_for_now(resource, most, most)
}

/// Sets a limit that can be raised up to `most`; one that is lower stays.
fn limit_for_now(resource: Resource, current: u64, most: u64) -> io::Result<()> {
    let now = getrlimit(resource);
    let lower = |limit: Option<u64>, most: u64| Some(limit.map_or(most, |limit| limit.min(most)));
    let limits = Rlimit { current: lower(now.current, current), maximum: lower(now.maximum, most) };
    Ok(setrlimit(resource, limits)?)
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
