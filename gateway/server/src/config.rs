//! The configuration: one TOML file, read whole, with all its faults told at once.
//!
//! What wins: flags, then environment ([`variables`]), then the file, then the defaults, which
//! `config.default.toml` documents. [`load`] gives a [`Config`] in which every name is checked, every duration and
//! pattern is parsed, every relative path is absolute and every secret is at hand. What only a plugin's manifest can
//! tell comes after discovery: [`resolve`].

mod api;
mod api_key;
mod destination;
mod fault;
pub(crate) mod listing;
mod load;
mod names;
pub(crate) mod nearest;
mod overrides;
mod plugin_config;
mod plugin_state;
mod read;
pub mod resolve;
mod retention;
mod route;
mod sandbox;
mod schedule;
pub mod schema;
pub(crate) mod secrets;
mod server;
pub(crate) mod settings;
mod source;
mod surroundings;
mod tracker;
mod units;
pub mod variables;

use std::path::PathBuf;

use postroom_core::route::Route;

use self::listing::Listing;

pub(crate) use self::units::duration;
pub use self::{
    api::ApiLimits,
    api_key::{ApiKey, Role},
    destination::{Destination, PluginRef},
    fault::{Fault, Faults, Position},
    load::{Draft, LoadError, draft, load, parse},
    overrides::Overrides,
    plugin_config::PluginConfig,
    plugin_state::PluginStateBounds,
    retention::Retention,
    route::NamedKind,
    server::{Plugins, Server, Store, public_url, store_path},
    source::Source,
    surroundings::Surroundings,
    tracker::{Enrich, Tracker},
};

/// The commented default file: what each setting means and what it is when it is left out.
pub const DEFAULT_FILE: &str = include_str!("../config.default.toml");

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// The folder of the file, absolute; relative paths in the file start here.
    pub folder: PathBuf,
    /// How the gateway is reached.
    pub server: Server,
    /// Where events and deliveries are kept.
    pub store: Store,
    /// How long things are kept.
    pub retention: Retention,
    /// Where plugins are looked for.
    pub plugins: Plugins,
    /// What the runs say about their monitors, and what is told of it.
    pub tracker: Tracker,
    /// How much may be asked of the API.
    pub api: ApiLimits,
    /// Who may use the API.
    pub api_keys: Vec<ApiKey>,
    /// The receiving URLs.
    pub sources: Vec<Source>,
    /// Plugins with their settings.
    pub destinations: Vec<Destination>,
    /// Which events go where, in the order of the file.
    pub routes: Vec<Route>,
    /// The kinds that routes name and only plugins make.
    pub named_kinds: Vec<NamedKind>,
    /// Its settings as people see them.
    pub(crate) listing: Listing,
}

impl Config {
    /// The files and folders that no plugin may see: they hold everybody's events, and tokens.
    pub(crate) fn own_files(&self) -> Vec<PathBuf> {
        let database = &self.store.path;
        let beside = |ending: &str| {
            let mut path = database.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        };
        let of_store = ["", "-wal", "-shm", ".lock", ".blobs"].map(beside);
        let file = self.file.file_name().map(|name| self.folder.join(name));
        of_store.into_iter().chain(file).collect()
    }

    /// Says in the log which tokens and keys could be guessed.
    pub(crate) fn warn_of_short_tokens(&self) {
        for source in self.sources.iter().filter(|source| source.tokens.iter().any(secrets::is_short)) {
            tracing::warn!(source = %source.name, "a token of this source is so short that it can be guessed");
        }
        for key in self.api_keys.iter().filter(|key| secrets::is_short(&key.key)) {
            tracing::warn!(api_key = key.name, "this API key is so short that it can be guessed");
        }
    }
}

#[cfg(test)]
mod tests;
