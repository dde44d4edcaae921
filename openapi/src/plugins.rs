//! The resource `plugins`: what is installed, whether a destination uses it or not.

use std::collections::BTreeMap;

use poem_openapi::{Object, OpenApi, Tags, param::Path, payload::Json};
use serde_json::Value;

use crate::{actions::Action, auth::ApiKey, port::Gateway, problem::Failure};

/// A plugin that was found, as its file says without being run.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Plugin {
    /// Its id, the name in the configuration.
    pub id: String,
    /// The name that people are shown.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// Its version.
    pub version: String,
    /// The plugin ABI that it was written for.
    pub abi: String,
    /// The path of its file.
    pub file: String,
    /// SHA-256 of the file, in hexadecimal. Absent when the file cannot be read now.
    pub sha256: Option<String>,
    /// Globs of the event kinds that it understands.
    pub kinds: Vec<String>,
    /// Most deliveries that it wants in flight at once. Absent when that is the operator's matter.
    pub concurrency: Option<u64>,
    /// What it asks of the system; the configuration grants it.
    pub asks: PluginAsks,
    /// What it needs, where the gateway's own limits are not enough.
    pub limits: PluginLimits,
    /// JSON Schema of the settings of its destinations.
    pub config_schema: Option<BTreeMap<String, Value>>,
    /// What people can have it do beside delivering.
    pub actions: Vec<Action>,
    /// The destinations that run this very version.
    pub used_by: Vec<String>,
}

/// What a plugin asks of the system.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct PluginAsks {
    /// Where it connects to, as `host:port`; none is no network at all.
    pub network: Vec<String>,
    /// The folders that it needs.
    pub folders: Vec<PluginFolder>,
}

/// A folder that a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct PluginFolder {
    /// Its path, or `{config.…}` for the one that a setting names.
    pub path: String,
    /// `read` or `write`.
    pub access: String,
}

/// What a plugin needs.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct PluginLimits {
    /// Memory for itself, in bytes.
    pub memory_bytes: Option<u64>,
    /// Threads.
    pub threads: Option<u64>,
}

/// A file or folder of the search path that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct RejectedPlugin {
    /// Its path.
    pub file: String,
    /// What speaks against it.
    pub reason: String,
}

/// Every plugin that was found.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct PluginList {
    /// The plugins by id; of several versions of one, first the one that is used when a configuration names none.
    pub items: Vec<Plugin>,
    /// Files that claim to be plugins, or cannot be read, and that are not used.
    pub rejected: Vec<RejectedPlugin>,
    /// The folders that were searched.
    pub folders: Vec<String>,
}

#[derive(Tags)]
enum Tag {
    /// What is installed.
    Plugins,
}

/// The operations on plugins.
pub(crate) struct PluginsApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/plugins")]
impl<G: Gateway> PluginsApi<G> {
    /// List plugins
    ///
    /// Looks through the search path now, and gives every plugin that is there, used or not, with what its file says. None
    /// of their code is run.
    #[oai(path = "/", method = "get", operation_id = "listPlugins", tag = "Tag::Plugins")]
    async fn list(&self, _key: ApiKey<G>) -> Result<Json<PluginList>, Failure> {
        Ok(Json(self.0.plugins().await?))
    }

    /// Get a plugin
    ///
    /// Gives the version of a plugin that is used when a configuration names none.
    #[oai(path = "/:id", method = "get", operation_id = "getPlugin", tag = "Tag::Plugins")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The plugin's id.
        id: Path<String>,
    ) -> Result<Json<Plugin>, Failure> {
        let found = self.0.plugins().await?.items.into_iter().find(|plugin| plugin.id == id.0);
        found.map(Json).ok_or_else(|| Failure::not_found("plugin"))
    }
}

#[cfg(test)]
mod tests;
