//! The settings.

use std::{collections::BTreeMap, time::Duration};

use postroom_sdk::{DurationText, Report, SecretOrText};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{address::Address, headers};

/// Settings of a destination, as its `config` in `postroom.toml` has them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where events are posted: an http or https address. Kept like a secret, because such addresses often hold one.
    pub(crate) url: SecretOrText,
    /// Headers of each request, by name. Values are kept like secrets.
    #[serde(default)]
    #[schemars(extend("default" = {}))]
    pub(crate) headers: BTreeMap<String, SecretOrText>,
    /// How long the endpoint may take to answer.
    #[serde(default = "default_timeout", with = "DurationText")]
    pub(crate) timeout: Duration,
}

impl Config {
    /// Checks what can be read without secrets; their values are checked when the instance is made.
    pub(crate) fn check(&self, report: &mut Report) {
        if let SecretOrText::Text(url) = &self.url
            && let Err(error) = Address::parse(url)
        {
            report.error("/url", error.to_string());
        }
        for (index, (name, value)) in self.headers.iter().enumerate() {
            let path = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            let mut before = self.headers.keys().take(index);
            if let Err(error) = headers::check_name(name) {
                report.error(path, error.to_string());
            } else if let Some(other) = before.find(|other| other.eq_ignore_ascii_case(name)) {
                report.error(path, format!("the header is set twice, also as `{other}`: leave one out"));
            } else if let SecretOrText::Text(value) = value
                && let Err(error) = headers::check_value(value)
            {
                report.error(path, error.to_string());
            }
        }
        if self.timeout.is_zero() {
            report.error("/timeout", "no time at all: write it like \"30s\"");
        }
    }
}

const fn default_timeout() -> Duration {
    Duration::from_secs(30)
}
