//! Write Postroom plugins in Rust.
//!
//! A plugin is a library that the gateway loads for a destination, in a process of its own. This crate hides the C ABI
//! between the two: implement [`Plugin`], name it in [`export!`], and build the crate as a `cdylib`.
//!
//! ```
//! #![forbid(unsafe_code)]
//!
//! use postroom_sdk::{
//!     CreateError, Delivery, Event, Failure, Host, Outcome, Payload, Plugin, Report, SecretRef, Verdict,
//!     http::HttpClient,
//! };
//! use serde::Deserialize;
//!
//! #[derive(Deserialize)]
//! #[serde(deny_unknown_fields)]
//! struct Config {
//!     url: String,
//!     token: SecretRef,
//! }
//!
//! struct Pager {
//!     config: Config,
//!     http: HttpClient,
//! }
//!
//! impl Plugin for Pager {
//!     type Config = Config;
//!
//!     fn validate(config: &Config, report: &mut Report) {
//!         if !config.url.starts_with("https://") {
//!             report.error("/url", "the address must begin with https://");
//!         }
//!     }
//!
//!     async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
//!         let http = HttpClient::builder(&host, "pager", env!("CARGO_PKG_VERSION")).build()?;
//!         Ok(Self { config, http })
//!     }
//!
//!     async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
//!         let Payload::MonitorRun(run) = event.payload() else {
//!             return Ok(Outcome::skipped("not a monitor run"));
//!         };
//!         if event.verdict() != Some(Verdict::Failed) {
//!             return Ok(Outcome::skipped("nothing failed"));
//!         }
//!         let token = delivery.host().secret(&self.config.token)?;
//!         let name = run.monitor_name.as_deref().unwrap_or("a monitor");
//!         let page = serde_json::json!({ "key": event.id(), "text": format!("{name} failed") });
//!         let response = self.http.post(&self.config.url).bearer(&token).json(&page).send().await?.successful()?;
//!         Ok(Outcome::delivered().with_message(response.excerpt()))
//!     }
//! }
//!
//! postroom_sdk::export! {
//!     plugin: Pager,
//!     id: "pager",
//!     name: "Pager",
//!     description: "Pages somebody when a monitor fails",
//!     kinds: ["monitor_run"],
//!     concurrency: 4,
//!     network: ["pager.example:443"],
//!     filesystem: [],
//!     config_schema: {
//!         "type": "object",
//!         "required": ["url", "token"],
//!         "additionalProperties": false,
//!         "properties": {
//!             "url": { "type": "string", "format": "uri" },
//!             "token": { "type": "string", "writeOnly": true }
//!         }
//!     },
//! }
//! # fn main() {}
//! ```
//!
//! The feature `http` brings the module `http`, a client for plugins that post somewhere; `testing` brings the module
//! `testing`, which runs a plugin inside a test.
//!
//! What the gateway is promised, and this crate keeps: every delivery ends exactly once, also when the author's code
//! panics, is cancelled or is shut down; and nothing reads the event's memory after that.

#![warn(missing_docs)]

pub mod duration;

mod config;
mod event;
mod export;
mod ffi;
mod host;
mod instance;
mod log;
mod outcome;
mod panic;
mod plugin;
mod postman;
mod runtime;
mod secret;

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "testing")]
pub mod testing;

#[doc(hidden)]
pub use self::export::__private;
pub use self::{
    config::{Fault, Report},
    event::{Event, Verdict, kind},
    host::{Delivery, Host},
    log::{Level, Log},
    outcome::{Failure, Outcome},
    plugin::{CreateError, Health, Plugin},
    postman::{Activity, CollectionBackup, MonitorRun, Payload},
    secret::{Secret, SecretError, SecretOrText, SecretRef},
};
pub use bytes::{self, Bytes};
/// The runtime that each instance has; for timers, channels and [`spawn_blocking`](tokio::task::spawn_blocking).
pub use tokio;
