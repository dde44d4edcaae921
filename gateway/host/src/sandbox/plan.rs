//! What a process does to itself before it opens the library.

use std::{collections::BTreeSet, path::PathBuf};

use serde::{Deserialize, Serialize};

use super::{Folder, Layer, Network, Sandbox, SandboxMode};
use crate::{action::RUNNING_MAX as ACTIONS_RUNNING_MAX, manifest::Manifest};

/// Descriptors that a process may have open, beside a few for each delivery.
const DESCRIPTORS: u64 = 256;
const DESCRIPTORS_PER_DELIVERY: u64 = 4;
/// Threads that a process has without the plugin, beside one for each delivery where those may block, and one for each
/// action.
const OWN_THREADS: u32 = 4;
/// The stack of such a thread.
pub(crate) const STACK_BYTES: usize = 2 * 1024 * 1024;

/// What a process does to itself before it opens the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) mode: SandboxMode,
    pub(crate) network: Network,
    pub(crate) folders: Vec<Folder>,
    /// Those of them that are made as files when they are missing.
    pub(crate) files: BTreeSet<PathBuf>,
    /// Most memory that the plugin may take for itself.
    pub(crate) memory_bytes: u64,
    /// What the stacks of the process's own threads take beside it.
    pub(crate) stacks_bytes: u64,
    /// What those of one thread for each delivery take, if there are any: whether the plugin blocks is known once its library
    /// is open.
    pub(crate) pool_bytes: u64,
    pub(crate) descriptors: u64,
    /// Most threads of the process. Watched by the gateway: no limit of the system counts those of one process.
    pub(crate) threads: u32,
    /// Layers that are treated as if the system did not have them. Tests leave out one and see what it was good for.
    pub(crate) left_out: BTreeSet<Layer>,
}

impl Plan {
    /// What a plugin with this manifest and these settings gets.
    pub(crate) fn new(
        sandbox: &Sandbox,
        manifest: &Manifest,
        config: &serde_json::Value,
        concurrency: u32,
    ) -> Self {
        let asked = manifest.asks.with(config);
        let grant = &sandbox.grant;
        let actions = if manifest.actions.is_empty() { 0 } else { ACTIONS_RUNNING_MAX };
        let own_threads = OWN_THREADS + actions;
        let stacks = |threads: u32| u64::from(threads).saturating_mul(STACK_BYTES as u64);
        Self {
            mode: sandbox.mode,
            network: grant.network(&asked),
            folders: grant.folders(&asked),
            files: asked.files.clone(),
            memory_bytes: grant.memory_bytes(&asked),
            stacks_bytes: stacks(own_threads),
            pool_bytes: stacks(concurrency),
            descriptors: DESCRIPTORS + DESCRIPTORS_PER_DELIVERY * u64::from(concurrency),
            threads: grant.threads(&asked).saturating_add(own_threads).saturating_add(concurrency),
            left_out: BTreeSet::new(),
        }
    }

    /// As bytes on the way to the process.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("the configuration and manifests are UTF-8, so paths are too")
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}
