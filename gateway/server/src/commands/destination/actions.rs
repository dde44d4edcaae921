//! `postroom destination NAME actions` and `action`.

use std::{
    fs,
    io::{self, Read},
    time::Duration,
};

use serde_json::{Map, Value};

use super::{Failure, GatewayFlags, Output, Question};
use crate::{command::Exit, commands::action_table};

/// More is refused by the gateway.
const INPUT_BYTES_MAX: u64 = 1024 * 1024;

/// Flags of `action`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One of the plugin's actions; `actions` lists them
    action: String,
    /// What it takes, a JSON object: the object itself, `@FILE`, or `-` for standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    input: String,
    /// How many seconds it may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Run it though it destroys or overwrites something
    #[arg(long)]
    yes: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// One line for each action.
pub(super) fn table(destination: &str, list: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let actions = &list["items"];
    if actions.as_array().is_none_or(Vec::is_empty) {
        output.say(format_args!("the plugin of {destination} has no actions"))?;
    }
    Ok(action_table::print(actions, output)?)
}

pub(super) fn run(destination: &str, args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let input = read(&args.input)?;
    let api = args.gateway.api()?;
    if !args.yes {
        refuse_danger(&api.get(&["destinations", destination, "actions"])?, &args.action)?;
    }
    let done = api.post(Question {
        path: &["destinations", destination, "actions", &args.action],
        query: vec![("timeout", args.timeout.to_string())],
        body: Some(Value::Object(input)),
        more_time: Duration::from_secs(args.timeout),
    })?;
    if args.json { Ok(output.json(&done["output"])?) } else { show(&done["output"], output) }
}

/// What cannot be taken back is not done by a slip of the finger.
fn refuse_danger(list: &Value, action: &str) -> Result<(), Failure> {
    let mut actions = list["items"].as_array().into_iter().flatten();
    if actions.any(|known| known["name"] == action && known["danger"] == true) {
        let message = format!("\"{action}\" destroys or overwrites something");
        return Err(Failure::new(Exit::Usage, message).hint("add --yes if that is what you want"));
    }
    Ok(())
}

/// Reads what an action takes.
fn read(given: &str) -> Result<Map<String, Value>, Failure> {
    let unreadable = |what: &str, error: io::Error| {
        Failure::new(Exit::NotFound, format!("cannot read the input from {what}: {error}"))
    };
    let text = match given.strip_prefix('@') {
        Some(file) => fs::read_to_string(file).map_err(|error| unreadable(file, error))?,
        None if given == "-" => {
            let mut text = String::new();
            let read = io::stdin().take(INPUT_BYTES_MAX + 1).read_to_string(&mut text);
            read.map_err(|error| unreadable("standard input", error))?;
            text
        }
        None => given.to_owned(),
    };
    serde_json::from_str(&text).map_err(|error| {
        Failure::new(Exit::Usage, format!("--input is not a JSON object: {error}"))
            .hint("write it like '{\"name\": \"value\"}', @FILE or -")
    })
}

/// An output, a line for each member.
fn show(done: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let members = done.as_object().into_iter().flatten();
    let width = members.clone().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    for (name, value) in members {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        output.line(format!("{name:<width$}  {value}").replace(char::is_control, " "))?;
    }
    Ok(())
}
