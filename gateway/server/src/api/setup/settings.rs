//! The configuration in force, and what is wrong with another.

use postroom_host::discover;
use postroom_openapi::{
    config::{ConfigurationCheck, ConfigurationFault, ConfigurationInForce, Setting, SettingOrigin},
    port::ReadError,
};

use crate::{
    api::Api,
    config::{
        self, Config, Draft, Fault, Overrides, Surroundings,
        listing::{Listed, Origin},
        resolve,
    },
};

impl Api {
    pub(super) fn settings_in_force(&self) -> ConfigurationInForce {
        let shown = self.0.reloader.shown();
        let configuration = self.in_force();
        ConfigurationInForce {
            generation: configuration.generation,
            fingerprint: configuration.fingerprint,
            file: shown.config.file.display().to_string(),
            settings: shown.config.listing.with_plugins(&shown.resolved).map(setting).collect(),
        }
    }

    /// One check at a time. Files that it names may be slow to read, so only its look into every plugin file keeps others
    /// from theirs.
    pub(super) async fn checked(&self, toml: String) -> Result<ConfigurationCheck, ReadError> {
        let _one_at_a_time = self.0.checking.lock().await;
        let shown = self.0.reloader.shown();
        let draft = aside(move || draft(&toml, &shown.config)).await?;
        let _one_look = self.0.looking.lock().await;
        let faults = aside(move || faults(draft)).await?;
        Ok(ConfigurationCheck { valid: faults.is_empty(), faults: faults.into_iter().map(fault).collect() })
    }
}

/// Runs what may take its time where it holds up nobody.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ReadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| ReadError::Unavailable { reason: "the gateway stops".to_owned() })
}

/// Flags and environment stand above the file at a reload, but cannot make it right.
fn draft(toml: &str, in_force: &Config) -> Draft {
    let Config { file, folder, .. } = in_force;
    config::parse(toml, file, folder, Overrides::default(), &Surroundings::of_process())
}

/// All that a reload would find before it starts a plugin.
fn faults(draft: Draft) -> Vec<Fault> {
    let Draft { config, mut faults, plugins } = draft;
    let catalog = discover(&config.plugins.path);
    let missing = faults.len();
    faults.extend(plugins.iter().filter_map(|plugin| resolve::find(plugin, &config, &catalog).err()));
    // A plugin that is missing may be the one that makes it.
    if faults.len() == missing {
        let resolved: Vec<_> = config
            .destinations
            .iter()
            .filter_map(|destination| {
                let plugin = resolve::find(&destination.plugin, &config, &catalog).ok()?;
                Some(resolve::with_plugin(destination, plugin, &config))
            })
            .collect();
        faults.extend(resolve::unmade_kinds(&config, &resolved));
    }
    faults.sort_by_key(|fault| (fault.position.is_none(), fault.position));
    faults
}

fn fault(fault: Fault) -> ConfigurationFault {
    let Fault { path, position, message, hint } = fault;
    ConfigurationFault {
        path,
        line: position.map(|at| at.line as u64),
        column: position.map(|at| at.column as u64),
        message,
        hint,
    }
}

fn setting((path, listed): (String, Listed)) -> Setting {
    let Listed { value, origin, needs_restart } = listed;
    let (origin, line, variable) = match origin {
        Origin::Default => (SettingOrigin::Default, None, None),
        Origin::File(line) => (SettingOrigin::File, Some(line as u64), None),
        Origin::Environment(variable) => (SettingOrigin::Environment, None, Some(variable.to_owned())),
        Origin::Flag => (SettingOrigin::Flag, None, None),
    };
    Setting { path, value, origin, line, variable, needs_restart }
}
