//! What a process may take of the machine, where no limit of the system says it.

use super::Usage;
use crate::sandbox::{Plan, SandboxMode};

/// What a process takes without its plugin: its heap, and the parts of libraries that are its own.
const OWN_BYTES: u64 = 64 * 1024 * 1024;
const MIB: u64 = 1024 * 1024;

/// Most that a process may take.
///
/// The system bounds the memory that can be written to, and a limit on threads would be one for all processes of the user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    memory_bytes: u64,
    threads: u32,
}

impl Bounds {
    /// Those of a process with this plan; none without a sandbox.
    pub(super) fn of(plan: &Plan) -> Option<Self> {
        let own_bytes = plan.stacks_bytes.saturating_add(plan.pool_bytes).saturating_add(OWN_BYTES);
        let memory_bytes = plan.memory_bytes.saturating_add(own_bytes);
        (plan.mode != SandboxMode::Off).then_some(Self { memory_bytes, threads: plan.threads })
    }

    /// What of this is too much.
    pub(super) fn excess(self, usage: Usage) -> Option<String> {
        let Usage { memory_bytes, threads, .. } = usage;
        if threads > self.threads {
            return Some(format!("it has {threads} threads, at most {} may be", self.threads));
        }
        let most = self.memory_bytes;
        (memory_bytes > most)
            .then(|| format!("it takes {} MiB of memory, at most {} may be", memory_bytes / MIB, most / MIB))
    }
}

#[cfg(test)]
mod tests;
