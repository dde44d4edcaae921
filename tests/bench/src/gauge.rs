//! What the system knows of a process: its memory, its processor time, what it wrote.

use std::fs;

/// Of a process that still runs. `None` where the system does not tell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gauge(pub(crate) u32);

impl Gauge {
    /// Resident memory in MB, 1000 × 1000 bytes.
    pub(crate) fn rss_mb(self) -> Option<f64> {
        self.status("VmRSS:")
    }

    /// The most it ever had.
    pub(crate) fn rss_peak_mb(self) -> Option<f64> {
        self.status("VmHWM:")
    }

    fn status(self, name: &str) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0)).ok()?;
        let kibibytes = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kibibytes: f64 = kibibytes.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024.0 / 1e6)
    }

    /// Processor time so far, of all its threads, in seconds.
    pub(crate) fn cpu_seconds(self) -> Option<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0)).ok()?;
        // The name of the program, in brackets, may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let mut times = fields.split(' ').skip(11);
        let ticks = times.next()?.parse::<f64>().ok()? + times.next()?.parse::<f64>().ok()?;
        Some(ticks / rustix::param::clock_ticks_per_second() as f64)
    }

    /// Bytes that it had the system write to a disk. The gateway keeps other users of its own account out, so this takes
    /// an administrator.
    pub(crate) fn written_bytes(self) -> Option<f64> {
        let io = fs::read_to_string(format!("/proc/{}/io", self.0)).ok()?;
        io.lines().find_map(|line| line.strip_prefix("write_bytes: "))?.parse().ok()
    }

    /// The processes that it started, such as a gateway's plugins.
    pub(crate) fn children(self) -> Vec<Self> {
        let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", self.0)).unwrap_or_default();
        children.split_ascii_whitespace().filter_map(|id| id.parse().ok()).map(Self).collect()
    }
}
