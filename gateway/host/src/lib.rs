//! Finds, checks and runs plugins.
//!
//! A plugin is a shared library behind the C contract of `postroom_plugin.h`. Its file is checked, and its manifest
//! read, without running any of its code ([`inspect()`], [`discover()`]). Every destination then runs its plugin in a
//! child process of its own ([`Instance`]), which is this same binary started as `postroom plugin-host`
//! ([`plugin_host_main`]). The process locks itself up before it opens the library ([`Sandbox`]). A plugin that crashes,
//! hangs or leaks costs itself a restart, and nobody else anything.
//!
//! Going down: `instance` is the handle that the engine holds, `supervisor` keeps a destination's process alive,
//! `process` is one such process seen from the gateway, `wire` is what the two say to each other, `child` is the process
//! seen from inside, and `native` drives the plugin through the C functions. `native` knows nothing of processes.
//! All that a plugin says passes `mask` in the gateway, which takes the secrets out of it.
//!
//! `conformance` lets an author know beforehand whether a plugin keeps the contract.
//!
//! Nothing is ever unloaded: the process that holds a library ends.

mod action;
mod body;
mod check;
mod child;
mod clock;
mod config_fault;
mod conformance;
mod delivery;
mod digest;
mod discover;
mod faults;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
#[cfg(any(test, feature = "in-process"))]
mod in_process;
mod inspect;
mod instance;
mod json_schema;
mod manifest;
mod mask;
mod native;
mod offer;
mod outcome;
mod plugin_emit;
mod plugin_health;
mod plugin_log;
mod plugin_metrics;
mod plugin_state;
mod process;
mod program;
mod sandbox;
mod sealed;
mod shield;
mod supervisor;
#[cfg(test)]
mod testing;
mod wire;

pub use action::{ACTION_INPUT_BYTES_MAX, ActionCall, ActionError};
pub use body::{PLUGIN_BODY_BYTES_MAX, PluginBody};
pub use check::{CheckError, check_config};
pub use child::plugin_host_main;
pub use config_fault::ConfigFault;
pub use conformance::{Finding, Sample, Subject, conformance};
pub use delivery::{Delivered, PluginDelivery};
pub use digest::{Digest, NotADigest};
pub use discover::{Catalog, RejectReason, Rejected, discover};
pub use faults::Faults;
#[cfg(any(test, feature = "in-process"))]
pub use in_process::{InProcess, InProcessError};
pub use inspect::{InspectError, PluginFile, inspect};
pub use instance::{Instance, InstanceConfig};
pub use manifest::{
    ABI, AbiVersion, Action, Asks, DeclaredMetric, FolderAsk, Manifest, ManifestError, Place,
};
pub use plugin_emit::{Emission, EmitReply, ForgottenEvents, Origin, PluginEmit};
pub use plugin_health::{HealthState, PluginHealth};
pub use plugin_metrics::{MetricKind, PluginMetrics};
pub use plugin_state::{Expected, MemoryState, PluginState, StateOperation, StateReply};
pub use process::{Footprint, Usage};
pub use program::Program;
pub use sandbox::{Access, Folder, Grant, Layer, Layers, Network, Sandbox, SandboxMode, plain_path};
pub use shield::shield_from_plugins;
pub use supervisor::{Backoff, Prepared, ReloadError, Reloaded, Status};
