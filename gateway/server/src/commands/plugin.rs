//! `postroom plugin`: looks at plugins without running any of their code, and helps those who write one.

mod conformance;
mod inspect;
mod list;
mod new;
mod trial;
mod try_out;

use clap::Subcommand;

use crate::{
    command::{ConfigFile, Failure},
    config::{self, Overrides, Plugins, Surroundings},
    output::Output,
};

/// The commands about plugins.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the plugins on the search path, and the files that were refused
    List(list::Args),
    /// Show what a plugin says about itself, and its settings
    Inspect(inspect::Args),
    /// Write a project for a plugin of one's own
    New(new::Args),
    /// Have a plugin deliver one event, without a gateway
    Try(try_out::Args),
    /// Check that a plugin keeps the contract when nobody is kind to it
    Conformance(conformance::Args),
}

impl Command {
    /// Whether what a plugin logs is of interest.
    pub(crate) const fn shows_logs(&self) -> bool {
        matches!(self, Self::Try(_))
    }
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::List(args) => list::run(&args, output),
        Command::Inspect(args) => inspect::run(&args, output),
        Command::New(args) => new::run(&args, output),
        Command::Try(args) => try_out::run(&args, output),
        Command::Conformance(args) => conformance::run(&args, output),
    }
}

/// The search path of the configuration. Faults elsewhere in the file, and even its absence, do not matter here.
fn search_path(file: &ConfigFile) -> Result<Plugins, Failure> {
    let surroundings = Surroundings::of_process();
    let draft = if file.config.exists() {
        config::draft(&file.config, Overrides::default(), &surroundings)?
    } else {
        let folder = std::path::absolute(".").unwrap_or_default();
        config::parse("", &file.config, &folder, Overrides::default(), &surroundings)
    };
    Ok(draft.config.plugins)
}
