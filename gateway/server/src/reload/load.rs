//! A configuration with its plugins, read and checked as a whole.

use std::collections::{BTreeMap, BTreeSet};

use postroom_core::id::DestinationName;
use postroom_host::discover;

use super::{Refusal, Stamp};
use crate::config::{
    Config, Draft, Faults,
    resolve::{self, Resolved},
    settings::Settings,
};

/// A configuration with its plugins.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Config,
    /// Each destination with its plugin, in the order of the configuration.
    pub(crate) resolved: Vec<Resolved>,
    /// The plugins' files as they were then.
    pub(super) stamps: BTreeMap<DestinationName, Stamp>,
    pub(super) settings: Settings,
}

impl Loaded {
    /// Looks up the plugins of a configuration.
    pub(crate) fn new(config: Config) -> Result<Self, Faults> {
        // First: a build that is put there meanwhile must differ.
        let files = Stamp::of_all(&config.plugins.path);
        let catalog = discover(&config.plugins.path);
        let resolved = resolve::resolve(&config, &catalog)?;
        let stamp = |resolved: &Resolved| {
            let stamp = *files.get(&resolved.plugin.path)?;
            Some((resolved.destination.name.clone(), stamp))
        };
        let stamps = resolved.iter().filter_map(stamp).collect();
        let settings = Settings::of(&config, &resolved, |resolved| file_of(resolved, &stamps));
        Ok(Self { config, resolved, stamps, settings })
    }

    /// Looks up the plugins of what was read, or tells all its faults.
    pub(super) fn of_draft(draft: Draft) -> Result<Self, Refusal> {
        let Draft { config, mut faults, plugins } = draft;
        if faults.is_empty() {
            return Ok(Self::new(config)?);
        }
        let catalog = discover(&config.plugins.path);
        faults.extend(plugins.iter().filter_map(|plugin| resolve::find(plugin, &config, &catalog).err()));
        faults.sort_by_key(|fault| (fault.position.is_none(), fault.position));
        Err(Faults { file: config.file, faults }.into())
    }

    /// Its destinations of these names.
    pub(super) fn of<'a>(
        &'a self,
        names: &'a BTreeSet<DestinationName>,
    ) -> impl Iterator<Item = &'a Resolved> {
        self.resolved.iter().filter(|resolved| names.contains(&resolved.destination.name))
    }
}

/// Tells the present file of a plugin from others.
pub(super) fn file_of(resolved: &Resolved, stamps: &BTreeMap<DestinationName, Stamp>) -> String {
    let Resolved { destination, plugin } = resolved;
    format!("{} {} {:?}", plugin.path.display(), plugin.manifest.version, stamps.get(&destination.name))
}

/// Looks up the plugin of one destination again.
pub(super) fn again(config: &Config, name: &DestinationName) -> Result<(Resolved, Option<Stamp>), Refusal> {
    // First, as above.
    let files = Stamp::of_all(&config.plugins.path);
    let catalog = discover(&config.plugins.path);
    let refused = |fault| Faults { file: config.file.clone(), faults: vec![fault] };
    let destination = config.destinations.iter().find(|destination| destination.name == *name);
    // Asked for only what is configured, so there is one.
    let destination = destination.ok_or(Refusal::Stopping)?;
    let plugin = resolve::find(&destination.plugin, config, &catalog).map_err(refused)?;
    let stamp = files.get(&plugin.path).copied();
    Ok((resolve::with_plugin(destination, plugin, config), stamp))
}

/// Reads files on a thread where nobody waits for anything else.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(Refusal::Stopping))
}
