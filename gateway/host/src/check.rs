//! Asks a plugin what it thinks of a configuration.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use postroom_core::{id::DestinationName, secret::Secret};

use crate::{
    config_fault::{self, ConfigFault},
    inspect::PluginFile,
    process::{Launch, Limits, Process, StartError},
    program::Program,
    sandbox::{Layers, Sandbox},
};

/// Why a configuration did not pass.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The plugin refuses it.
    #[error("the plugin refuses its config: {}", config_fault::list(faults))]
    Refused {
        /// What the plugin has against it; never empty.
        faults: Vec<ConfigFault>,
    },
    /// The plugin could not be asked.
    #[error("cannot ask the plugin: {reason}")]
    NotAsked {
        /// What stood in the way.
        reason: String,
    },
}

/// Starts `plugin` in a process of its own, has it check `config`, and ends it. No instance is made. Gives the layers of
/// the process's sandbox that hold here.
///
/// # Errors
/// [`CheckError::Refused`] with every fault that the plugin names.
pub async fn check_config(
    program: &Program,
    sandbox: &Sandbox,
    plugin: &PluginFile,
    config: &serde_json::Value,
    secrets: &BTreeMap<String, Secret>,
) -> Result<Layers, CheckError> {
    let launch = Launch {
        destination: DestinationName::new(plugin.manifest.id.as_str()),
        plugin: plugin.clone(),
        config: config.clone(),
        secrets: secrets.clone(),
        mask: Arc::default(),
        state: None,
        emit: None,
        metrics: None,
        program: program.clone(),
        sandbox: sandbox.clone(),
        sealed: None,
        left_out: [].into(),
        limits: Limits::default(),
        concurrency: 1,
        // It takes no deliveries.
        drain: Duration::ZERO,
    };
    let checked = Process::check(&launch).await.map_err(|error| match error {
        StartError::Refused(faults) => CheckError::Refused { faults },
        other => CheckError::NotAsked { reason: other.with_cause() },
    })?;
    Ok(checked.layers)
}
