//! A running gateway, for the commands that talk to one.

mod api;

use std::{
    convert::Infallible,
    env, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
};

use postroom_core::secret::Secret;
use reqwest::Url;

pub(crate) use self::api::{Api, Followed, Question};
use super::{ConfigFile, Exit, Failure};
use crate::config::{
    self, Config, Overrides, Surroundings,
    variables::{API_KEY, GATEWAY_URL},
};

/// Which gateway, and as whom.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Which gateway")]
pub(crate) struct GatewayFlags {
    /// Its address; without it `[server] listen` of the configuration, on this machine
    // Text here: clap would show an address that cannot be read, and there may be a password in it.
    #[arg(long, visible_alias = "server", value_name = "URL", env = GATEWAY_URL, hide_env_values = true)]
    url: Option<String>,
    /// A file with the API key; without it $POSTROOM_API_KEY, or the key of the configuration that allows most
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// The API key itself. Whoever may list this machine's processes can read it: a file or the variable keep it
    #[arg(long, value_name = "KEY", value_parser = secret, conflicts_with = "key_file")]
    key: Option<Secret>,
    #[command(flatten)]
    file: ConfigFile,
}

impl GatewayFlags {
    /// Finds the gateway. The configuration is read only for what the flags and the environment leave open, and faults in
    /// the rest of it do not matter.
    pub(crate) fn api(&self) -> Result<Api, Failure> {
        let url = self.url.as_deref().map(parse).transpose()?;
        let key = match (&self.key, &self.key_file) {
            (Some(key), _) => Some(key.clone()),
            (None, Some(file)) => Some(key_in(file)?),
            (None, None) => env::var(API_KEY).ok().filter(|key| !key.is_empty()).map(Secret::new),
        };
        let config = match (&url, &key) {
            (Some(_), Some(_)) => None,
            _ => Some(self.config()?),
        };
        let url = match (url, &config) {
            (Some(url), _) => url,
            (None, config) => listening(config.as_ref().map(|config| config.server.listen))?,
        };
        let key = key.or_else(|| best_key(config.as_ref()?)).ok_or_else(|| {
            Failure::new(Exit::Config, "there is no API key").hint(format!(
                "give one with --key-file or ${API_KEY}, or make an [[api_key]] in the configuration"
            ))
        })?;
        Api::new(url, key)
    }

    fn config(&self) -> Result<Config, Failure> {
        let draft = config::draft(&self.file.config, Overrides::default(), &Surroundings::of_process());
        let draft = draft.map_err(|error| {
            Failure::from(error)
                .hint("name the configuration with --config, or the gateway with --url and --key-file")
        })?;
        Ok(draft.config)
    }
}

/// Never fails: clap would show what was given.
fn secret(key: &str) -> Result<Secret, Infallible> {
    Ok(Secret::new(key))
}

fn parse(url: &str) -> Result<Url, Failure> {
    let fits =
        |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host() && !url.cannot_be_a_base();
    Url::parse(url).ok().filter(fits).ok_or_else(|| {
        Failure::new(Exit::Usage, "the gateway's address is not an http or https URL")
            .hint("write it like http://127.0.0.1:8080")
    })
}

fn key_in(file: &PathBuf) -> Result<Secret, Failure> {
    let unreadable = |error: io::Error| {
        Failure::new(Exit::NotFound, format!("cannot read the API key in {}: {error}", file.display()))
    };
    let key = fs::read_to_string(file).map_err(unreadable)?;
    Ok(Secret::new(key.trim_end_matches(['\r', '\n'])))
}

/// Where a gateway of this machine that listens there is reached.
fn listening(listen: Option<SocketAddr>) -> Result<Url, Failure> {
    let known = listen.filter(|listen| listen.port() != 0);
    let url = known.and_then(|listen| {
        let ip = match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        Url::parse(&format!("http://{}", SocketAddr::new(ip, listen.port()))).ok()
    });
    url.ok_or_else(|| {
        Failure::new(Exit::Config, "the configuration does not say where the gateway listens")
            .hint("name it with --url")
    })
}

fn best_key(config: &Config) -> Option<Secret> {
    // Of several that allow as much, the first.
    let best = config.api_keys.iter().rev().max_by_key(|key| key.role)?;
    Some(best.key.clone())
}

#[cfg(test)]
mod tests;
