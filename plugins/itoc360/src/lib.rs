//! Sends the results of Postman's monitors to ITOC360, which opens an incident when a monitor fails and resolves it when
//! the monitor passes again.
//!
//! ```toml
//! [[destination]]
//! name = "itoc360"
//! plugin = "itoc360"
//! config = { token = { env = "ITOC360_TOKEN" } }
//! backlog = "latest"
//!
//! [[route]]
//! name = "monitor runs"
//! kinds = ["monitor_run"]
//! to = ["itoc360"]
//! ```
//!
//! # Settings
//!
//! | setting | meaning |
//! |---|---|
//! | `token` | token of the source in ITOC360, a secret; or the whole webhook URL that its page shows, whose address is then used too |
//! | `mode` | `"postman"` (default) or `"alertmanager"`, by the provider of the source |
//! | `from` | `"runs"` (default) or `"incidents"`: what opens and resolves |
//! | `send` | `"every_run"` (default) or `"changes"` |
//! | `severity` | `{ errors = "critical", failed_tests = "error", silent = "warning" }` |
//! | `summary`, `description` | texts with placeholders such as `{monitor}` |
//! | `labels` | labels of every alert |
//! | `base_url` | `https://api.itoc360.app` unless you run ITOC360 yourself |
//! | `timeout` | how long ITOC360 may take to answer, `"10s"` |
//!
//! # Modes
//!
//! - **postman**, for a source of the provider *Postman Monitors*: Postman's body goes on unchanged, byte for byte, and
//!   ITOC360 decides: failed tests or errors open an incident, none of both resolve it.
//! - **alertmanager**, for a source of a provider that takes Alertmanager's webhook (Prometheus, Grafana and others): each
//!   event becomes one alert, `firing` or `resolved`. Its fingerprint is the monitor's id, so that all that is told of a
//!   monitor belongs to one incident; a silence has one of its own, `{id}:silent`. Labels of the event become labels of the
//!   alert, and its label `generator_url` the alert's link. A run whose verdict is unknown is skipped: it neither opens nor
//!   resolves anything.
//!
//! The token is sent as `Authorization: Bearer`. It is never part of an address, a log line or a record.
//!
//! # What is remembered
//!
//! Per fingerprint: what ITOC360 was told last, by which event, and which was the newest. So a replay of an old run does not
//! undo what a newer one has told, `send = "changes"` knows what a change is, and the action `open-incidents` has its list.
//! Before something new is told, it is kept that it may have been: when no answer comes, the next event is sent whatever it
//! says.
//!
//! # Outcomes
//!
//! | outcome | when |
//! |---|---|
//! | delivered | ITOC360 took the event; the record is `{"itoc360": {"id", "type", "fingerprint"}}`. A type that contradicts the run is said in the message and logged as a warning |
//! | skipped | the destination does not take the event, ITOC360 was told of a newer one, nothing has changed (`send = "changes"`), or the verdict is unknown |
//! | retry, rate limited | 408, 425, 429, 5xx, no connection, no answer in time; `Retry-After` is honoured |
//! | permanent | 400, 404 other than below, other 4xx |
//! | misconfigured | 401, 404 "Source not found" (wrong token), 402 (subscription inactive), 403; 404, 405 and 410 without an error of ITOC360's, 3xx, a link-local address (wrong `base_url`) |
//!
//! # Actions
//!
//! | action | what it does |
//! |---|---|
//! | `test` | opens an incident that says it is a test, resolves it, and tells what came back |
//! | `open-incidents` | lists what is open in ITOC360, as far as the destination knows |
#![forbid(unsafe_code)]

mod config;
mod plugin;

mod address;
mod alertmanager;
mod facts;
mod memory;
mod open;
mod probe;
mod reply;
mod severity;
mod signal;
mod template;
mod texts;

#[cfg(test)]
#[path = "../../http_double.rs"]
mod http_double;

pub use self::{config::Config, plugin::Itoc360};
