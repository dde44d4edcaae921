//! What a plugin's process may do: what its manifest asks for and the configuration grants.
//!
//! The process locks itself up before it opens the library, because the constructors of a library run as soon as it is
//! opened. Here is what both sides of the socket say about it; the locking up itself is in `child`.

mod closed;
mod grant;
mod layers;
mod places;
mod plan;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use self::{
    closed::{is_of_kernel, refused},
    places::{FileId, Place, have_moved},
    plan::{Plan, STACK_BYTES},
};
pub use self::{
    grant::{Access, Folder, Grant, Network, plain_path},
    layers::{Layer, Layers},
};
use crate::manifest::Manifest;

/// How much of a sandbox a plugin's process needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
    /// All of it: without one of its layers the plugin is not loaded.
    Required,
    /// What the system offers.
    #[default]
    BestEffort,
    /// None: the process may do what the gateway's user may.
    Off,
}

impl SandboxMode {
    /// The word for it in the configuration and the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::BestEffort => "best_effort",
            Self::Off => "off",
        }
    }
}

/// How the process of a destination's plugin is confined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sandbox {
    /// How much of a sandbox there must be.
    pub mode: SandboxMode,
    /// What the plugin may have of what it asks for.
    pub grant: Grant,
    /// Files and folders of the gateway's own. A plugin that would get one of them is not started.
    pub own: Vec<PathBuf>,
}

impl Sandbox {
    /// What a plugin with this manifest and these settings asks for and does not get, one sentence each.
    #[must_use]
    pub fn refusals(&self, manifest: &Manifest, config: &serde_json::Value) -> Vec<String> {
        match self.mode {
            SandboxMode::Off => Vec::new(),
            SandboxMode::Required | SandboxMode::BestEffort => {
                let asked = manifest.asks.with(config);
                self.grant.refusals(&asked)
            }
        }
    }
}

#[cfg(test)]
mod tests;
