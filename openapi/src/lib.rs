//! Postroom's HTTP contract: every operation, every type on the wire, and the OpenAPI document made of them.
//!
//! The crate knows nothing of engine and store. The server implements [`Gateway`], and [`endpoint`](fn@endpoint) turns
//! that into the complete HTTP surface; [`document`](fn@document) needs no gateway at all.

pub mod port;

pub mod actions;
pub mod audit;
pub mod config;
pub mod dead_letters;
pub mod deliveries;
pub mod destinations;
pub mod events;
pub mod health;
pub mod hooks;
pub mod incidents;
pub mod keys;
pub mod monitors;
pub mod plugins;
pub mod reload;
pub mod replays;
pub mod routes;
pub mod session;
pub mod sources;
pub mod stats;
pub mod stream;

pub mod auth;
pub mod page;
pub mod problem;
pub mod time;

mod body;
mod docs_ui;
mod document;
mod edge;
mod endpoint;
mod etag;
mod examples;
mod expect;
mod finalize;
mod json_body;
mod metrics;
mod nearest;
mod operations;
mod parameters;
mod request_id;
mod webhooks;

pub use document::document;
pub use endpoint::endpoint;
pub use nearest::nearest;
pub use port::Gateway;

#[cfg(test)]
mod fake;
