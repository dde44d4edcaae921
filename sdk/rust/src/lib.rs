//! Write Postroom plugins in Rust.
//!
//! A plugin is a library that the gateway loads for a destination, in a process of its own. This crate hides the C ABI
//! between the two: implement [`Plugin`], put [`postroom_plugin`] on the `impl`, and build the crate as a `cdylib`.
//!
//! ```standalone_crate
//! #![forbid(unsafe_code)]
//!
//! use postroom_sdk::{
//!     CreateError, Delivery, Event, Failure, Host, Outcome, Payload, Plugin, Report, SecretRef, Verdict,
//!     http::HttpClient, postroom_plugin,
//! };
//! use schemars::JsonSchema;
//! use serde::Deserialize;
//!
//! #[derive(Deserialize, JsonSchema)]
//! struct Config {
//!     /// Where pages are posted.
//!     #[schemars(url)]
//!     url: String,
//!     /// Token of the account.
//!     token: SecretRef,
//! }
//!
//! struct Pager {
//!     config: Config,
//!     http: HttpClient,
//! }
//!
//! #[postroom_plugin(
//!     id = "pager",
//!     name = "Pager",
//!     description = "Pages somebody when a monitor fails",
//!     kinds = ["monitor_run"],
//!     concurrency = 4,
//!     network = ["pager.example:443"]
//! )]
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
//! # fn main() {}
//! ```
//!
//! # Settings
//!
//! One type says everything about the settings of a destination: serde reads them, its doc comments and defaults are
//! what the operator is shown, and its schema, by [`schemars`], is what the gateway checks and turns secrets and paths
//! by. With `config_schema` the attribute keeps the schema in a file beside `Cargo.toml` and in the manifest, where the
//! gateway reads it without running the plugin. [`SecretRef`] and [`SecretOrText`] are secrets, [`DurationText`] is for
//! durations.
//!
//! # Actions
//!
//! An [`Action`] is a named operation that people start, beside deliveries. Its input and output are types too.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `http` | the module `http`, a client for plugins that post somewhere |
//! | `testing` | the module `testing`, which runs a plugin inside a test |
//! | `tracing` (default) | the module `trace`: what `tracing` is told goes to the gateway's log |
//!
//! # Promises
//!
//! What the gateway is promised, and this crate keeps: every delivery ends exactly once, also when the author's code
//! panics, is cancelled or is shut down; and nothing reads the event's memory after that.

#![warn(missing_docs)]

#[doc(hidden)]
pub mod __private;
pub mod duration;

mod action;
mod config;
mod declared;
mod emit;
mod event;
mod ffi;
mod host;
mod instance;
mod log;
mod metrics;
mod outcome;
mod panic;
mod plugin;
mod postman;
mod runtime;
mod schema;
mod secret;
mod state;

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "testing")]
pub mod testing;
#[cfg(feature = "tracing")]
pub mod trace;

pub use self::{
    action::{Action, ActionCall, ActionError, Actions},
    config::{Fault, Report},
    duration::DurationText,
    emit::{EmitError, Emitted, NewEvent},
    event::{Event, Verdict, kind},
    host::{Delivery, ExtendError, Host},
    log::{Level, Log},
    outcome::{Failure, Outcome},
    plugin::{CreateError, Health, Plugin},
    postman::{Activity, CollectionBackup, MonitorRun, Payload},
    secret::{Secret, SecretError, SecretOrText, SecretRef},
    state::{Entry, Expect, State, StateError},
};
pub use bytes::{self, Bytes};
#[doc = include_str!("attribute.md")]
pub use postroom_sdk_macros::postroom_plugin;
/// The crate whose `JsonSchema` a plugin's settings derive, in the version that this one uses.
pub use schemars;
/// The runtime that each instance has; for timers, channels and [`spawn_blocking`](tokio::task::spawn_blocking).
pub use tokio;
