//! The settings.

use std::time::Duration;

use postroom_sdk::{DurationText, Report, SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::address;

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of ITOC360; another one only for an installation of your own.
    #[serde(default = "default_base_url")]
    #[schemars(url)]
    pub(crate) base_url: String,
    /// Token of the source in ITOC360, or the whole webhook URL that its page shows.
    pub(crate) token: SecretRef,
    /// "postman" for a source of the provider Postman Monitors, "alertmanager" for a source of a provider that takes
    /// Alertmanager's body, such as Prometheus.
    #[serde(default)]
    pub(crate) mode: Mode,
    /// How long ITOC360 may take to answer.
    #[serde(default = "default_timeout", with = "DurationText")]
    pub(crate) timeout: Duration,
}

/// Which body the source in ITOC360 expects.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema, Serialize)]
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
