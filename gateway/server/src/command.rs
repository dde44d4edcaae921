//! The `postroom` command: arguments, dispatch and exit codes.

mod exit;
mod gateway;
mod settings;

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use clap::{CommandFactory as _, Parser, Subcommand};

pub use self::{
    exit::{Exit, Failure},
    settings::{ConfigFile, ServerFlags},
};
pub(crate) use self::{
    gateway::{Api, Followed, GatewayFlags, Question},
    settings::parse_public_url,
};
use crate::{
    commands::{
        asked::Plain, audit, backup, check, completions, deliveries, demo, destination, events, incidents,
        init, keys, man, monitors, openapi, plugin, replays, routes, send, serve, setup,
    },
    output::{Colour, Output, Progress, Screen},
    telemetry::{self, LogArgs},
};

/// The hidden command that runs a plugin in a child process.
const PLUGIN_HOST: &str = "plugin-host";

/// A gateway for every webhook Postman can send.
#[derive(Debug, Parser)]
#[command(name = "postroom", version, arg_required_else_help = true, after_help = exit::HELP)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    logs: LogArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway
    Serve(serve::Args),
    /// Write a first configuration with fresh tokens
    Init(init::Args),
    /// Check a configuration and tell all its faults at once
    Check(check::Args),
    /// Watch Postman's webhooks go through a gateway of its own
    Demo(demo::Args),
    /// Play Postman: send webhooks to any URL
    Send(send::Args),
    /// How a running gateway does, in figures
    #[command(visible_alias = "stats")]
    Status(Plain),
    /// What came in
    #[command(subcommand)]
    Events(events::Command),
    /// Events on their way to destinations
    #[command(subcommand)]
    Deliveries(deliveries::Command),
    /// Many finished deliveries once more
    #[command(subcommand)]
    Replay(replays::Command),
    /// Where webhooks come in
    Sources(setup::SourcesArgs),
    /// The routes, and where a body would go and why
    #[command(subcommand)]
    Routes(routes::Command),
    /// How the destinations of a running gateway do
    Destinations(destination::ListArgs),
    /// Look at a destination of a running gateway, and steer it
    Destination(destination::Args),
    /// What the runs of Postman's monitors say
    #[command(subcommand)]
    Monitors(monitors::Command),
    /// When monitors failed, and for how long
    #[command(subcommand)]
    Incidents(incidents::Command),
    /// The versions of collections that are backed up, and how to get them back
    #[command(subcommand)]
    Backup(backup::Command),
    /// The configuration of a running gateway
    #[command(subcommand)]
    Config(setup::ConfigCommand),
    /// Who may use the API
    #[command(subcommand)]
    Keys(keys::Command),
    /// Who changed what, and when
    Audit(audit::Args),
    /// Look at plugins, and write and check one's own
    #[command(subcommand)]
    Plugin(plugin::Command),
    /// Print the OpenAPI document of the HTTP API
    Openapi,
    /// Print what a shell needs to complete these commands
    Completions(completions::Args),
    /// Print or write the manual pages
    Man(man::Args),
}

impl Command {
    /// What is logged when nobody says otherwise: a server tells what it does, a command only what is wrong.
    fn log_level(&self) -> &'static str {
        let tells = match self {
            Self::Serve(_) => true,
            Self::Plugin(command) => command.shows_logs(),
            _ => false,
        };
        if tells { "info" } else { "warn" }
    }
}

/// All commands with their flags.
pub(crate) fn cli() -> clap::Command {
    Cli::command()
}

/// Runs the command with the arguments of this process.
pub fn main() -> ExitCode {
    // Before anything else: the child gives up its rights and locks itself up, which must happen while it has one
    // thread and no file is open.
    if std::env::args_os().nth(1).is_some_and(|argument| argument == PLUGIN_HOST) {
        return postroom_host::plugin_host_main();
    }
    let colour = Colour::of_process();
    let (mut stdout, mut stderr, mut stdin) =
        (io::stdout().lock(), io::stderr(), io::BufReader::new(io::stdin()));
    let output = Output::new(&mut stdout, &mut stderr, colour).on(Screen::of_process());
    let mut output = output.telling(Progress::of_process());
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        output = output.asking(&mut stdin);
    }
    match Cli::try_parse() {
        Ok(cli) => exit::report(run(cli, colour, &mut output), &mut output).into(),
        Err(error) => {
            // Help and version are "errors" with code 0. If even that cannot be printed, nobody is there to be told.
            error.print().ok();
            u8::try_from(error.exit_code()).map_or(Exit::Usage.into(), ExitCode::from)
        }
    }
}

fn run(cli: Cli, colour: Colour, output: &mut Output<'_>) -> Result<(), Failure> {
    telemetry::start(&cli.logs, cli.command.log_level(), colour)?;
    dispatch(cli.command, output)
}

fn dispatch(command: Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::Serve(args) => serve::run(args),
        Command::Init(args) => init::run(&args, output),
        Command::Check(args) => check::run(&args, output),
        Command::Demo(args) => demo::run(&args, output),
        Command::Send(args) => send::run(args, output),
        Command::Status(plain) => setup::status(&plain, output),
        Command::Events(command) => events::run(&command, output),
        Command::Deliveries(command) => deliveries::run(&command, output),
        Command::Replay(command) => replays::run(&command, output),
        Command::Sources(args) => setup::sources(&args, output),
        Command::Routes(command) => routes::run(command, output),
        Command::Destinations(args) => destination::list(&args, output),
        Command::Destination(args) => destination::run(&args, output),
        Command::Monitors(command) => monitors::run(&command, output),
        Command::Incidents(command) => incidents::run(&command, output),
        Command::Backup(command) => backup::run(&command, output),
        Command::Config(command) => setup::config(&command, output),
        Command::Keys(command) => keys::run(&command, output),
        Command::Audit(args) => audit::run(&args, output),
        Command::Plugin(command) => plugin::run(command, output),
        Command::Openapi => openapi::run(output),
        Command::Completions(args) => completions::run(&args, output),
        Command::Man(args) => man::run(&args, output),
    }
}

#[cfg(test)]
mod tests;
