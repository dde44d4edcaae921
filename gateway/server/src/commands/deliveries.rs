//! `postroom deliveries`: events on their way to destinations, at a running gateway.

mod shown;

use clap::{Subcommand, ValueEnum};

use super::asked::{self, Length, OfOne, moment, word};
use crate::{command::Failure, output::Output};

/// The commands about deliveries.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Deliveries, the newest first
    List(ListArgs),
    /// One delivery, with every attempt
    Show(OfOne),
    /// Deliver once more: a finished one by a new one, one that waits at once
    Retry(OfOne),
    /// Stop one that waits or is on its way
    Cancel(OfOne),
    /// What was given up, by destination and reason
    Dead(asked::Plain),
}

/// Flags of `deliveries list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom deliveries list --state dead --destination itoc360
  postroom deliveries list --event 0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01 --json")]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: Filter,
    /// Only those that the replay with this id made
    #[arg(long, value_name = "ID")]
    replay: Option<String>,
    #[command(flatten)]
    length: Length,
}

/// Which deliveries.
#[derive(Debug, clap::Args)]
pub(super) struct Filter {
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<State>,
    /// Only those to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only those of the event with this id
    #[arg(long, value_name = "ID")]
    event: Option<String>,
    /// Only those of events of this kind
    #[arg(long)]
    kind: Option<String>,
    /// Only those of events that came in by this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only those of events about the monitor or collection with this id
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
    /// Only those made at this moment or later
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    after: Option<String>,
    /// Only those made before this moment
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    before: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum State {
    Pending,
    Retrying,
    Delivered,
    Skipped,
    Superseded,
    Dead,
    Cancelled,
}

impl Filter {
    /// As the API spells it.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let state = self.state.map(word);
        let parts = [
            ("state", &state),
            ("destination", &self.destination),
            ("event_id", &self.event),
            ("kind", &self.kind),
            ("source", &self.source),
            ("subject", &self.subject),
            ("created_after", &self.after),
            ("created_before", &self.before),
        ];
        parts.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
    }
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::List(args) => {
            let mut query = args.filter.parts();
            query.extend(args.replay.clone().map(|replay| ("replay_id", replay)));
            let table = ("delivery", shown::table as fn(&[_], &mut Output<'_>) -> _);
            asked::print_list("deliveries", query, &args.length, table, output)
        }
        Command::Show(OfOne { id, plain }) => {
            asked::print_one(&["deliveries", id], plain, shown::facts, output)
        }
        Command::Retry(args) => act(args, "retry", output),
        Command::Cancel(args) => act(args, "cancel", output),
        Command::Dead(plain) => asked::print_one(&["dead-letters"], plain, shown::dead, output),
    }
}

fn act(args: &OfOne, act: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    let OfOne { id, plain } = args;
    let delivery = asked::act(&plain.gateway.api()?, &["deliveries", id, act])?;
    if plain.json { Ok(output.json(&delivery)?) } else { shown::table(&[delivery], output) }
}

#[cfg(test)]
mod tests;
