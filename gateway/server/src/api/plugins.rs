//! What is installed on the search path.

use std::{path::PathBuf, sync::Arc};

use postroom_core::chain::Chain;
use postroom_host::{FolderAsk, PluginFile, discover};
use postroom_openapi::{
    plugins::{Plugin, PluginAsks, PluginFolder, PluginLimits, PluginList, RejectedPlugin},
    port::ReadError,
};
use serde_json::Value;

use super::{Api, DestinationInfo, actions};

impl Api {
    /// Looks through the search path now. One look at a time: it reads every file.
    pub(super) async fn installed(&self) -> Result<PluginList, ReadError> {
        let _one_at_a_time = self.0.looking.lock().await;
        let shown = self.0.reloader.shown();
        let destinations = self.0.destinations.all();
        let looked =
            tokio::task::spawn_blocking(move || list(&shown.config.plugins.path, &destinations)).await;
        looked.map_err(|_| ReadError::Unavailable { reason: "the gateway stops".to_owned() })
    }
}

fn list(folders: &[PathBuf], destinations: &Arc<[DestinationInfo]>) -> PluginList {
    let catalog = discover(folders);
    let rejected = catalog.rejected().iter().map(|rejected| RejectedPlugin {
        file: rejected.path.display().to_string(),
        reason: Chain(&rejected.reason).to_string(),
    });
    PluginList {
        items: catalog.plugins().map(|plugin| described(plugin, destinations)).collect(),
        rejected: rejected.collect(),
        folders: folders.iter().map(|folder| folder.display().to_string()).collect(),
    }
}

fn described(plugin: &PluginFile, destinations: &[DestinationInfo]) -> Plugin {
    let manifest = &plugin.manifest;
    let text = |key: &str| manifest.document.get(key).and_then(Value::as_str).map(str::to_owned);
    let network = manifest.document.get("network").and_then(Value::as_array);
    let folder = |ask: &FolderAsk| PluginFolder {
        path: ask.place.to_string(),
        access: ask.access.as_str().to_owned(),
    };
    let uses = |info: &&DestinationInfo| {
        info.plugin == manifest.id && info.plugin_version == manifest.version && info.file == plugin.path
    };
    let config_schema = manifest.config_schema.as_ref().and_then(Value::as_object);
    Plugin {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        description: text("description"),
        version: manifest.version.clone(),
        abi: manifest.abi.to_string(),
        file: plugin.path.display().to_string(),
        sha256: plugin.digest().ok().map(|digest| digest.to_string()),
        kinds: manifest.kinds.clone(),
        concurrency: manifest.concurrency.map(Into::into),
        asks: PluginAsks {
            network: network.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
            folders: manifest.asks.folders.iter().map(folder).collect(),
        },
        limits: PluginLimits {
            memory_bytes: manifest.asks.memory_bytes,
            threads: manifest.asks.threads.map(Into::into),
        },
        config_schema: config_schema.map(|schema| schema.clone().into_iter().collect()),
        actions: manifest.actions.iter().map(actions::action).collect(),
        used_by: destinations.iter().filter(uses).map(|info| info.name.to_string()).collect(),
    }
}
