//! What a plugin does against its contract without harm to anybody else. Counted, so that its author hears of it.

/// How often a plugin broke which rule, in the life of one process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// It ended a delivery that it did not hold: for the second time, or one that it had not taken.
    pub stale: u64,
    /// It called its host after `destroy`.
    pub late: u64,
    /// `deliver` took longer than its budget, without the flag for plugins that block.
    pub slow: u64,
    /// Its threads that were still there after `destroy`.
    pub threads: u64,
}

impl Faults {
    /// Each rule with its name and how often it was broken.
    #[must_use]
    pub const fn counts(&self) -> [(&'static str, u64); 4] {
        [("stale", self.stale), ("late", self.late), ("slow", self.slow), ("threads", self.threads)]
    }

    /// What both have seen. The counts of a process only grow.
    pub(crate) fn or_more(self, other: Self) -> Self {
        Self {
            stale: self.stale.max(other.stale),
            late: self.late.max(other.late),
            slow: self.slow.max(other.slow),
            threads: self.threads.max(other.threads),
        }
    }
}
