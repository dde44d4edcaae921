//! The settings.

use std::path::PathBuf;

use postroom_sdk::Report;
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where backups are kept: "fs", a local folder.
    #[serde(default)]
    #[schemars(with = "String", extend("enum" = ["fs"], "default" = "fs"))]
    storage: Storage,
    /// Folder of the backups. It is created when it is missing. A relative path starts at the configuration file.
    #[schemars(length(min = 1), extend("format" = "path"))]
    pub(crate) root: PathBuf,
}

/// Where backups are kept. A list of one, so that the setting does not change its meaning when others join it.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Storage {
    /// A folder of this machine.
    #[default]
    Fs,
}

impl TryFrom<String> for Storage {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        match name.as_str() {
            "fs" => Ok(Self::Fs),
            _ => Err(format!("there is no storage {name:?}: the only one is \"fs\", a local folder")),
        }
    }
}

impl Config {
    pub(crate) fn check(&self, report: &mut Report) {
        match self.storage {
            // The gateway makes relative paths absolute, because the plugin's working folder means nothing.
            Storage::Fs if !self.root.is_absolute() => {
                report.error("/root", "not an absolute path: write the folder with its whole path");
            }
            Storage::Fs => {}
        }
    }
}
