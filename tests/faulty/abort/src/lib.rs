//! A plugin that aborts its process in `deliver`, to see what that costs the gateway.
//!
//! | setting | meaning |
//! |---|---|
//! | `abort_when` | abort only when the event's subject contains this text |
//! | `abort_when_body` | abort only when the event's body contains this text |
//!
//! Without either it aborts at every event. An event that is spared is delivered.
#![forbid(unsafe_code)]

use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, postroom_plugin};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a destination.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Abort only when the event's subject contains this text.
    #[serde(default)]
    abort_when: String,
    /// Abort only when the event's body contains this text.
    #[serde(default)]
    abort_when_body: String,
}

/// Aborts.
#[derive(Debug)]
pub struct Abort(Config);

#[postroom_plugin(
    id = "faulty-abort",
    name = "Abort",
    description = "Aborts its process in deliver",
    kinds = ["*"],
    concurrency = 8,
    config_schema = "config.schema.json"
)]
impl Plugin for Abort {
    type Config = Config;

    async fn create(_host: Host, config: Config) -> Result<Self, CreateError> {
        Ok(Self(config))
    }

    async fn deliver(&self, event: &Event, _delivery: &Delivery) -> Result<Outcome, Failure> {
        // Everything contains the empty text, also a subject that is not there.
        let body = String::from_utf8_lossy(event.body());
        if event.subject().unwrap_or_default().contains(&self.0.abort_when)
            && body.contains(&self.0.abort_when_body)
        {
            std::process::abort();
        }
        Ok(Outcome::delivered())
    }
}

#[cfg(test)]
mod tests;
