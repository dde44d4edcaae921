//! `postroom keys`: who may use the API of a running gateway.

use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use postroom_engine::Clock;
use postroom_openapi::time::Timestamp;
use serde_json::{Value, json};

use super::monitors::time;
use crate::{
    command::{Failure, GatewayFlags, Question},
    config,
    output::{Output, plain},
};

/// The commands about API keys. They need a key with the role admin.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key, and print it: it is shown this once
    Create(CreateArgs),
    /// All keys, and when each was used
    List(ListArgs),
    /// Make a key nobody's, at once
    Revoke(RevokeArgs),
}

/// Flags of `keys create`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The key is all that goes to standard output, so it can be written to a file or passed on.

Examples:
  postroom keys create grafana --role viewer
  postroom keys create ci --role operator --expires-in 90d > ci.key")]
pub(crate) struct CreateArgs {
    /// What it is called: letters, digits, "-", "_" and "."
    #[arg(value_name = "NAME")]
    name: String,
    /// What it allows
    #[arg(long, value_enum)]
    role: Role,
    /// After how long it is nobody's; without it the key does not expire
    #[arg(long, value_name = "DURATION", value_parser = life)]
    expires_in: Option<Duration>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// What a key allows; each role may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    /// Reads
    Viewer,
    /// Also acts on deliveries, destinations and monitors
    Operator,
    /// Does everything
    Admin,
}

/// Flags of `keys list`.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

/// Flags of `keys revoke`.
#[derive(Debug, clap::Args)]
pub(crate) struct RevokeArgs {
    /// The key's name
    #[arg(value_name = "NAME")]
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

pub(crate) fn run(command: &Command, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        Command::Create(args) => create(args, &Clock::system(), output),
        Command::List(args) => list(args, &Clock::system(), output),
        Command::Revoke(args) => {
            let revoked = args.gateway.api()?.delete(&["keys", &args.name])?;
            if args.json {
                return Ok(output.json(&revoked)?);
            }
            Ok(output.line(format_args!("revoked {}", plain(&args.name)))?)
        }
    }
}

fn create(args: &CreateArgs, clock: &Clock, output: &mut Output<'_>) -> Result<(), Failure> {
    let role = format!("{:?}", args.role).to_lowercase();
    let mut body = json!({ "name": args.name, "role": role });
    if let Some(life) = args.expires_in {
        let expires_at = Timestamp::from_unix_ms(clock.now().plus(life).as_unix_ms());
        body["expires_at"] = expires_at.to_string().into();
    }
    let question = Question { path: &["keys"], body: Some(body), ..Question::default() };
    let created = args.gateway.api()?.post(question)?;
    if args.json {
        return Ok(output.json(&created)?);
    }
    output.line(plain(created["key"].as_str().unwrap_or_default()))?;
    let until = created["expires_at"].as_str().map(|_| format!(" until {}", time(&created["expires_at"])));
    Ok(output.say(format_args!(
        "This is the key of {}, {role}{}. It is shown this once.",
        plain(&args.name),
        until.unwrap_or_default()
    ))?)
}

fn list(args: &ListArgs, clock: &Clock, output: &mut Output<'_>) -> Result<(), Failure> {
    let keys = args.gateway.api()?.get(&["keys"])?;
    if args.json {
        return Ok(output.json(&keys)?);
    }
    let rows: Vec<_> = keys["items"].as_array().into_iter().flatten().map(|key| row(key, clock)).collect();
    Ok(output.table(["NAME", "ROLE", "FROM", "LAST USED", "EXPIRES", "MADE"], &rows)?)
}

fn row(key: &Value, clock: &Clock) -> [String; 6] {
    let text = |name: &str| key[name].as_str().unwrap_or("-").to_owned();
    let made = match key["created_by"].as_str() {
        Some(by) => format!("{} by {by}", time(&key["created_at"])),
        None => "-".to_owned(),
    };
    let moments = ["last_used_at", "expires_at"].map(|name| time(&key[name]));
    let [used, mut expires] = moments;
    let end = key["expires_at"].as_str().and_then(|end| end.parse::<jiff::Timestamp>().ok());
    if end.is_some_and(|end| end.as_millisecond() <= clock.now().as_unix_ms()) {
        expires.push_str(", expired");
    }
    [text("name"), text("role"), text("origin"), used, expires, made]
}

fn life(text: &str) -> Result<Duration, &'static str> {
    let life = config::duration(text).filter(|life| *life >= Duration::from_secs(1));
    life.ok_or("expected a duration from a second to 365 days, like 8h, 30d or 90d")
}

#[cfg(test)]
mod tests;
