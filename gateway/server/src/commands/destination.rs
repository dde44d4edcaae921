//! `postroom destinations` and `postroom destination`: how the destinations of a running gateway do, and what can be done
//! about it.

mod actions;
mod shown;

use clap::Subcommand;

use crate::{
    command::{Failure, GatewayFlags, Question},
    output::Output,
};

/// Flags of `destinations`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  postroom destinations --json | jq '.items[] | select(.waiting > 0).name'"
)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// Flags of `destination`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom destination archive show
  postroom destination archive actions
  postroom destination archive action test
  postroom destination backups action restore --yes --input '{\"collection\": \"c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6\", \"dry_run\": true}'")]
pub(crate) struct Args {
    /// Its name in the configuration
    name: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// How it does: state, process, sandbox
    Show(Plain),
    /// Start no delivery until it is resumed
    Pause(Plain),
    /// Let it go on, whatever held it back
    Resume(Plain),
    /// Go over to the plugin file that is there now
    Reload(Plain),
    /// What its plugin can be told to do
    Actions(Plain),
    /// Have its plugin do something
    Action(actions::Args),
}

/// Flags of a command that needs nothing else.
#[derive(Debug, clap::Args)]
struct Plain {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn list(args: &ListArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let list = args.gateway.api()?.get(&["destinations"])?;
    if args.json {
        return Ok(output.json(&list)?);
    }
    let destinations = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if destinations.is_empty() {
        output.say("the gateway has no destination")?;
    }
    shown::table(destinations, output)
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let name = args.name.as_str();
    match &args.command {
        Command::Show(flags) => {
            let destination = flags.gateway.api()?.get(&["destinations", name])?;
            if flags.json { Ok(output.json(&destination)?) } else { shown::facts(&destination, output) }
        }
        Command::Pause(flags) => act(flags, name, "pause", output),
        Command::Resume(flags) => act(flags, name, "resume", output),
        Command::Reload(flags) => act(flags, name, "reload", output),
        Command::Actions(flags) => {
            let list = flags.gateway.api()?.get(&["destinations", name, "actions"])?;
            if flags.json { Ok(output.json(&list)?) } else { actions::table(name, &list, output) }
        }
        Command::Action(args) => actions::run(name, args, output),
    }
}

/// Does what is no more than a word, and shows how the destination stands then.
fn act(flags: &Plain, name: &str, act: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let question = Question { path: &["destinations", name, act], ..Question::default() };
    let destination = flags.gateway.api()?.post(question)?;
    if flags.json { Ok(output.json(&destination)?) } else { shown::table(&[destination], output) }
}

#[cfg(test)]
mod tests;
