//! One module for each command, and what they share.

mod action_table;
pub(crate) mod asked;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod deliveries;
pub(crate) mod demo;
pub(crate) mod destination;
pub(crate) mod events;
pub(crate) mod incidents;
pub(crate) mod init;
pub(crate) mod keys;
pub(crate) mod man;
pub(crate) mod monitors;
pub(crate) mod openapi;
pub(crate) mod plugin;
pub(crate) mod replays;
pub(crate) mod routes;
pub(crate) mod send;
pub(crate) mod serve;
pub(crate) mod setup;
#[cfg(test)]
mod testing;
