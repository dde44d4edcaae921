//! The Postroom gateway: its configuration, its wiring and the `postroom` command.

pub mod command;
pub mod config;
pub mod output;
pub mod reload;
pub mod run;
pub mod serve;
pub mod telemetry;

mod api;
mod assemble;
mod commands;
mod enrich;
mod plugin_emit;
mod plugin_metrics;
mod plugin_state;
#[cfg(test)]
mod testing;
mod trial;

/// Every event crosses threads: what a connection allocates, the store's threads and the dispatcher free.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
