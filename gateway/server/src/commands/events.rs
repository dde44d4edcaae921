//! `postroom events`: what came in at a running gateway.

mod tail;

use clap::Subcommand;

use crate::{command::Failure, output::Output};

/// The commands about events.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// What happens, line by line as it happens, until it is interrupted
    Tail(tail::Args),
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::Tail(args) => tail::run(args, output),
    }
}
