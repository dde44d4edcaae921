//! `postroom backup`: the versions of collections that a destination of a running gateway keeps.

mod act;
mod chores;
mod collections;
mod diff;
mod fetch;
mod find;
mod prune;
mod restore;
mod shown;
mod verify;

use clap::Subcommand;

use crate::{
    command::{Failure, GatewayFlags},
    output::Output,
};

/// The commands about backups.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The collections that there are versions of
    Collections(collections::ListArgs),
    /// The versions of a collection, the newest first
    Versions(collections::VersionsArgs),
    /// One version: when it came, how large it is, what is in it
    Show(collections::ShowArgs),
    /// What changed between two versions
    Diff(diff::Args),
    /// Read every version, and tell what is damaged
    Verify(verify::Args),
    /// Remove the versions that the retention does not keep
    Prune(prune::Args),
    /// Bring a version back: into a file, or to Postman
    Restore(restore::Args),
}

/// Which backups, and how they are shown.
#[derive(Debug, clap::Args)]
struct Place {
    /// The destination that keeps them; needed where several do
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::Collections(args) => collections::list(args, output),
        Command::Versions(args) => collections::versions(args, output),
        Command::Show(args) => collections::show(args, output),
        Command::Diff(args) => diff::run(args, output),
        Command::Verify(args) => verify::run(args, output),
        Command::Prune(args) => prune::run(args, output),
        Command::Restore(args) => restore::run(args, output),
    }
}

#[cfg(test)]
mod tests;
