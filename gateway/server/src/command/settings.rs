//! Flags that several commands share.

use std::{net::SocketAddr, path::PathBuf};

use crate::config::{
    Config, LoadError, Overrides, Surroundings, load, public_url, store_path,
    variables::{CONFIG, PLUGINS_PATH, SERVER_LISTEN, SERVER_PUBLIC_URL, STORE_URL},
};

/// Which configuration file.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigFile {
    /// The configuration file
    #[arg(
        long,
        value_name = "FILE",
        env = CONFIG,
        hide_env_values = true,
        default_value = "postroom.toml"
    )]
    pub config: PathBuf,
}

impl ConfigFile {
    /// Reads the file; `flags` win over it.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, flags: Overrides) -> Result<Config, LoadError> {
        load(&self.config, flags, &Surroundings::of_process())
    }
}

/// Settings of the file that flags can replace.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Instead of the file's settings")]
pub struct ServerFlags {
    #[arg(long, value_name = "ADDRESS", help = with_variable("Address and port to listen on", SERVER_LISTEN))]
    pub listen: Option<SocketAddr>,
    #[arg(long, value_name = "URL", value_parser = parse_public_url,
          help = with_variable("How Postman reaches the gateway", SERVER_PUBLIC_URL))]
    pub public_url: Option<String>,
    #[arg(long, value_name = "URL", value_parser = parse_store,
          help = with_variable("Where events are kept, like sqlite:data/postroom.db", STORE_URL))]
    pub store: Option<PathBuf>,
    #[arg(long, value_name = "FOLDER",
          help = with_variable("A folder with plugins; can be given several times", PLUGINS_PATH))]
    pub plugins_path: Vec<PathBuf>,
}

impl From<ServerFlags> for Overrides {
    fn from(flags: ServerFlags) -> Self {
        Self {
            listen: flags.listen,
            public_url: flags.public_url,
            store: flags.store,
            plugins_path: (!flags.plugins_path.is_empty()).then_some(flags.plugins_path),
        }
    }
}

fn with_variable(help: &str, variable: &str) -> String {
    format!("{help} [env: {variable}]")
}

pub(crate) fn parse_public_url(text: &str) -> Result<String, &'static str> {
    public_url(text).ok_or("expected an http or https URL without query, like https://hooks.example.com")
}

fn parse_store(text: &str) -> Result<PathBuf, &'static str> {
    store_path(text).ok_or("this version keeps events in SQLite only: write sqlite:PATH")
}
