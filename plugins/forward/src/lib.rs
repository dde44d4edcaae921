//! Posts each event to an HTTP endpoint, byte for byte.
//!
//! ```toml
//! [[destination]]
//! name = "archive"
//! plugin = "forward"
//!
//! [destination.config]
//! url = { env = "ARCHIVE_URL" }
//! headers = { Authorization = { env = "ARCHIVE_AUTH" }, X-Team = "payments" }
//! timeout = "30s"
//!
//! [[route]]
//! name = "everything"
//! to = ["archive"]
//! ```
//!
//! # Settings
//!
//! | setting | meaning |
//! |---|---|
//! | `url` | where events are posted, `http` or `https`; kept like a secret, because such addresses often hold one |
//! | `headers` | headers of each request, by name; values are kept like secrets |
//! | `timeout` | how long the endpoint may take to answer, `"30s"` |
//!
//! # The request
//!
//! `POST` with the body as the gateway received it and the `Content-Type` it came with (`application/json` when it had
//! none), and:
//!
//! | header | value |
//! |---|---|
//! | `Postroom-Event-Id` | the event's id, the same in every attempt |
//! | `Postroom-Event-Kind` | such as `monitor_run` |
//! | `Postroom-Attempt` | 1, 2, … |
//! | `Idempotency-Key` | the event's id: delivery is at least once, so an endpoint may see an event twice |
//!
//! Configured headers win over these, except over those that begin with `Postroom-`. Headers that belong to the
//! connection (`Host`, `Content-Length`, `Transfer-Encoding` and the like) cannot be configured.
//!
//! # Outcomes
//!
//! | outcome | when |
//! |---|---|
//! | delivered | 2xx; the record is `{"status"}` |
//! | retry, rate limited | 408, 425, 429, 5xx, no connection, no answer in time; `Retry-After` is honoured |
//! | permanent | other 4xx |
//! | misconfigured | 401, 403, 404, 405, 410, and 3xx: redirects are not followed; a link-local address, where clouds keep credentials |
//!
//! # Actions
//!
//! | action | what it does |
//! |---|---|
//! | `test` | posts `{"test": true}`, or the `body` it is given, marked with `Postroom-Test: true`, and tells how the endpoint answers |
#![forbid(unsafe_code)]

mod config;
mod plugin;
mod probe;

mod address;
mod headers;

#[cfg(test)]
#[path = "../../http_double.rs"]
mod http_double;

pub use self::{config::Config, plugin::Forward};
