//! The settings.

use std::time::Duration;

use postroom_sdk::{Report, SecretRef};
use serde::Deserialize;

use crate::address;

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default = "default_base_url")]
    pub(crate) base_url: String,
    pub(crate) token: SecretRef,
    #[serde(default)]
    pub(crate) mode: Mode,
    #[serde(default = "default_timeout", with = "postroom_sdk::duration")]
    pub(crate) timeout: Duration,
}

/// Which body the source in ITOC360 expects.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Postman's, unchanged.
    #[default]
    Postman,
    /// Alertmanager's, version 4.
    Alertmanager,
}

impl Config {
    pub(crate) fn check(&self, report: &mut Report) {
        if let Err(error) = address::endpoint(&self.base_url) {
            report.error("/base_url", error.to_string());
        }
        if self.timeout.is_zero() {
            report.error("/timeout", "no time at all: write it like \"10s\"");
        }
    }
}

fn default_base_url() -> String {
    "https://api.itoc360.app".to_owned()
}

const fn default_timeout() -> Duration {
    Duration::from_secs(10)
}
