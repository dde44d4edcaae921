//! From the plugin that a destination names to the file that has it.

use postroom_core::event::{EmittedKind, Kind};
use postroom_host::{Catalog, PluginFile};

use super::{
    Config, Fault, Faults,
    destination::{Destination, PluginRef},
    nearest,
    read::join,
    schema,
};

/// A destination with its plugin: the plugin's schema has been applied to its settings.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// The destination.
    pub destination: Destination,
    /// The plugin's file.
    pub plugin: PluginFile,
}

impl Resolved {
    /// What the plugin says against the setting at `pointer`, a JSON pointer into the settings.
    #[must_use]
    pub fn fault(&self, pointer: &str, message: &str) -> Fault {
        let Destination { name, plugin, config, .. } = &self.destination;
        let mut path = format!("{}.config", plugin.destination_path);
        for key in pointer.split('/').filter(|key| !key.is_empty()) {
            path = join(&path, &key.replace("~1", "/").replace("~0", "~"));
        }
        let mut fault = Fault::new(path, message);
        fault.position = config.position(pointer).or(Some(plugin.position));
        fault.hint(format!(
            "destination \"{name}\"; `postroom plugin inspect {}` shows its settings",
            plugin.name
        ));
        fault
    }
}

/// Finds the plugin of every destination.
///
/// # Errors
/// Every destination whose plugin is not there.
pub fn resolve(config: &Config, catalog: &Catalog) -> Result<Vec<Resolved>, Faults> {
    let mut resolved = Vec::new();
    let mut faults = Vec::new();
    for destination in &config.destinations {
        match find(&destination.plugin, config, catalog) {
            Ok(plugin) => resolved.push(with_plugin(destination, plugin, config)),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        faults = unmade_kinds(config, &resolved);
    }
    if faults.is_empty() { Ok(resolved) } else { Err(Faults { file: config.file.clone(), faults }) }
}

/// The kinds that routes name and nothing makes.
#[must_use]
pub fn unmade_kinds(config: &Config, resolved: &[Resolved]) -> Vec<Fault> {
    let made_by = |granted: bool, name: &str| {
        let mut of_those = resolved.iter().filter(|resolved| resolved.destination.emit == granted);
        of_those.find(|resolved| resolved.plugin.manifest.emits.iter().any(|kind| kind.as_str() == name))
    };
    let unmade = config.named_kinds.iter().filter(|kind| made_by(true, &kind.name).is_none());
    unmade
        .map(|kind| {
            let mut fault =
                Fault::new(kind.path.clone(), format!("nothing makes events of kind \"{}\"", kind.name));
            fault.position = Some(kind.position);
            fault.hint = match made_by(false, &kind.name) {
                Some(Resolved { destination, .. }) => Some(format!(
                    "the plugin of \"{}\" does once it may: emit = true there",
                    destination.name
                )),
                None => {
                    let made = resolved.iter().filter(|resolved| resolved.destination.emit);
                    let made = made.flat_map(|resolved| &resolved.plugin.manifest.emits);
                    nearest::hint(&kind.name, Kind::NAMES.into_iter().chain(made.map(EmittedKind::as_str)))
                }
            };
            fault
        })
        .collect()
}

/// Joins a destination and its plugin.
#[must_use]
pub fn with_plugin(destination: &Destination, plugin: &PluginFile, config: &Config) -> Resolved {
    let mut destination = destination.clone();
    if let Some(schema) = &plugin.manifest.config_schema {
        schema::apply(&mut destination.config, schema, &config.folder);
    }
    let plugin = PluginFile { pin: destination.sha256, ..plugin.clone() };
    Resolved { destination, plugin }
}

/// Finds the file of a plugin.
///
/// # Errors
/// When there is none; the hint says which ids there are, or where the search looked.
pub fn find<'c>(wanted: &PluginRef, config: &Config, catalog: &'c Catalog) -> Result<&'c PluginFile, Fault> {
    catalog.find(&wanted.name).ok_or_else(|| {
        let path = format!("{}.plugin", wanted.destination_path);
        let mut fault = Fault::new(path, format!("there is no plugin \"{}\"", wanted.name));
        fault.position = Some(wanted.position);
        let id = wanted.name.split('@').next().unwrap_or_default();
        let versions = catalog.plugins().filter(|plugin| plugin.manifest.id == id);
        let versions: Vec<&str> = versions.map(|plugin| plugin.manifest.version.as_str()).collect();
        if !versions.is_empty() {
            fault.hint(format!("there are the versions {}", versions.join(", ")));
            return fault;
        }
        let ids = catalog.plugins().map(|plugin| plugin.manifest.id.as_str());
        fault.hint = nearest::hint(id, ids).or_else(|| {
            let folders: Vec<_> = config.plugins.path.iter().map(|path| path.display().to_string()).collect();
            Some(format!("no plugin was found in {}; set [plugins] path", folders.join(", ")))
        });
        fault
    })
}

#[cfg(test)]
mod tests;
