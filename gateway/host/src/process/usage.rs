//! What a process takes, as the kernel counts it.

use std::fs;

/// What a plugin's process takes of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Memory of its own, in bytes, also what was put aside on disk, and the kernel's tables for it. Files that it looks at,
    /// such as the bodies of events, are not counted: the kernel takes that memory back when it needs it.
    pub memory_bytes: u64,
    /// Its threads.
    pub threads: u32,
}

impl Usage {
    /// Of the process `pid`; `None` when it has ended.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        Self::read(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
    }

    fn read(status: &str) -> Option<Self> {
        let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
        let kib = |key: &str| value(key)?.trim().strip_suffix(" kB")?.parse::<u64>().ok();
        let kib = kib("RssAnon")? + kib("VmSwap").unwrap_or_default() + kib("VmPTE").unwrap_or_default();
        Some(Self { memory_bytes: kib * 1024, threads: value("Threads")?.trim().parse().ok()? })
    }
}

#[cfg(test)]
mod tests;
