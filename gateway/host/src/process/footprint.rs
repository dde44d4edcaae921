//! What a process has cost the machine, for the metrics.

use std::{fs, time::Duration};

use rustix::param::{clock_ticks_per_second, page_size};

/// What a plugin's process takes and has taken, as the kernel counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// What it has in memory, in bytes, also of files and of what it shares with others.
    pub resident_bytes: u64,
    /// How long its threads have been on a processor since it was started.
    pub cpu: Duration,
}

impl Footprint {
    /// Of the process `pid`; `None` when it has ended.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let page_bytes = u64::try_from(page_size()).ok()?;
        Self::read(&stat, clock_ticks_per_second(), page_bytes)
    }

    fn read(stat: &str, ticks_per_second: u64, page_bytes: u64) -> Option<Self> {
        // The name comes second, in parentheses, and may hold anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let field = |number: usize| rest.split_ascii_whitespace().nth(number - 3)?.parse::<u64>().ok();
        let ticks = field(14)? + field(15)?;
        let milliseconds = ticks.saturating_mul(1000).checked_div(ticks_per_second)?;
        Some(Self {
            resident_bytes: field(24)?.saturating_mul(page_bytes),
            cpu: Duration::from_millis(milliseconds),
        })
    }
}

#[cfg(test)]
mod tests;
