//! A plugin that takes every event at once and does nothing with it: what is left of a delivery's time is the gateway's.
//!
//! | setting | meaning |
//! |---|---|
//! | `hold` | end no delivery: whatever comes waits |
//!
//! The first delivery is told in the log.
#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering};

use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, postroom_plugin};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of a destination.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// End no delivery.
    #[serde(default)]
    hold: bool,
}

/// Takes everything.
#[derive(Debug)]
pub struct Sink {
    config: Config,
    told: AtomicBool,
}

#[postroom_plugin(
    id = "bench-sink",
    name = "Sink",
    description = "Takes every event at once",
    kinds = ["*"],
    concurrency = 256,
    config_schema = "config.schema.json"
)]
impl Plugin for Sink {
    type Config = Config;

    async fn create(_host: Host, config: Config) -> Result<Self, CreateError> {
        Ok(Self { config, told: AtomicBool::new(false) })
    }

    async fn deliver(&self, _event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        if !self.told.swap(true, Ordering::Relaxed) {
            delivery.log().info("first delivery");
        }
        if self.config.hold {
            std::future::pending::<()>().await;
        }
        Ok(Outcome::delivered())
    }
}

#[cfg(test)]
mod tests;
