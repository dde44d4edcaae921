//! Starts the gateway as its operators do, and looks at it as its users do: by socket, exit status and log.
//!
//! Nothing here sleeps for a while and hopes. A test waits for a line of the log, for a request at a double, or for
//! a state that the API shows ([`eventually`]); each wait ends in a failure that says what was waited for.

pub mod body;
mod client;
mod config;
pub mod contract;
mod eventually;
mod gateway;
mod logs;
mod process;
mod program;
mod random;

use std::time::Duration;

pub use client::{Answer, Client};
pub use config::Config;
pub use eventually::eventually;
pub use gateway::TestGateway;
pub use logs::Logs;
pub use process::Serving;
pub use program::{Finished, Program};
pub use random::random_token;

/// How long anything may take before its test fails. Far more than is needed, so that a busy machine fails nothing.
pub const PATIENCE: Duration = Duration::from_secs(30);
