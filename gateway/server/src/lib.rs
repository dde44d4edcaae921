//! The Postroom gateway: its configuration, its wiring and the `postroom` command.

pub mod command;
pub mod config;
pub mod output;
pub mod run;
pub mod serve;
pub mod telemetry;

mod api;
mod assemble;
mod commands;
