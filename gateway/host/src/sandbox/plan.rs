//! What a process does to itself before it opens the library.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Folder, Layer, Network, Sandbox, SandboxMode};
use crate::manifest::Manifest;

/// Descriptors that a process may have open, beside a few for each delivery.
const DESCRIPTORS: u64 = 256;
const DESCRIPTORS_PER_DELIVERY: u64 = 4;
/// Threads that a process has without the plugin, beside one for each delivery where those may block.
const OWN_THREADS: u32 = 4;

/// What a process does to itself before it opens the library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) mode: SandboxMode,
    pub(crate) network: Network,
    pub(crate) folders: Vec<Folder>,
    /// Most memory beyond what the process has before it opens the library.
    pub(crate) memory_bytes: u64,
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
        Self {
            mode: sandbox.mode,
            network: grant.network(&asked),
            folders: grant.folders(&asked),
            memory_bytes: grant.memory_bytes(&asked),
            descriptors: DESCRIPTORS + DESCRIPTORS_PER_DELIVERY * u64::from(concurrency),
            threads: grant.threads(&asked).saturating_add(OWN_THREADS).saturating_add(concurrency),
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
