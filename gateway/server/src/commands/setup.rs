//! `postroom sources`, `routes list`, `config` and `status`: what a running gateway is set up as, and how it does.

mod status;

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::{
    asked::{self, Plain, joined, number, pairs, text},
    monitors::time,
    routes::read_body,
};
use crate::{
    command::{Exit, Failure, Question},
    output::{Output, plain},
};

pub(crate) use self::status::run as status;

/// Flags of `sources`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postroom sources --json | jq -r '.items[].url'")]
pub(crate) struct SourcesArgs {
    /// Only this one, with its newest event
    #[arg(value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    plain: Plain,
}

/// The commands about the configuration of a running gateway.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// The settings in force, and where each comes from
    Show(ShowArgs),
    /// Say what is wrong with a file, as the running gateway sees it; plugins are not asked: `postroom check` asks them, and needs
    /// no gateway
    Validate(ValidateArgs),
    /// Have the running gateway go over to its configuration as it is now; needs a key with the role admin
    Reload(Plain),
}

/// Flags of `config show`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom config show
  postroom config show retention --json")]
pub(crate) struct ShowArgs {
    /// Only settings whose path begins like this
    #[arg(value_name = "PATH", default_value = "")]
    path: String,
    #[command(flatten)]
    plain: Plain,
}

/// Flags of `config validate`.
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// The file; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    plain: Plain,
}

pub(crate) fn sources(args: &SourcesArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    match &args.name {
        Some(name) => asked::print_one(&["sources", name], &args.plain, source, output),
        None => asked::print_one(&["sources"], &args.plain, source_table, output),
    }
}

fn source_table(list: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |source: &Value| {
        [text(&source["name"]), text(&source["url"]), number(&source["accepted"]), pairs(&source["labels"])]
    };
    let rows: Vec<[String; 4]> = asked::items(list).iter().map(row).collect();
    if rows.is_empty() {
        output.say("the gateway has no source")?;
    }
    Ok(output.table(["NAME", "URL", "ACCEPTED", "LABELS"], &rows)?)
}

fn source(source: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let last = &source["last_event"];
    let last = last["id"].as_str().map(|id| format!("{} ({id})", time(&last["received_at"])));
    asked::print_facts(
        &[
            ("name", text(&source["name"])),
            ("url", format!("{}?token=TOKEN", text(&source["url"]))),
            ("tokens", number(&source["tokens"])),
            ("labels", pairs(&source["labels"])),
            ("body limit", format!("{} bytes", number(&source["body_bytes_max"]))),
            ("a second", number(&source["requests_per_second"])),
            ("accepted", format!("{} since the start", number(&source["accepted"]))),
            ("last event", last.unwrap_or_default()),
        ],
        output,
    )
}

/// `postroom routes list`.
pub(super) fn routes(plain: &Plain, output: &mut Output<'_>) -> Result<(), Failure> {
    asked::print_one(&["routes"], plain, route_table, output)
}

fn route_table(list: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = asked::items(list)
        .iter()
        .map(|route| {
            [number(&route["position"]), text(&route["name"]), conditions(route), joined(&route["to"])]
        })
        .collect();
    if rows.is_empty() {
        output.say("the gateway has no route")?;
    }
    Ok(output.table_within(["#", "NAME", "CONDITIONS", "TO"], &rows, 2)?)
}

fn conditions(route: &Value) -> String {
    let lists = ["kinds", "sources", "monitor", "collection", "environment", "verdict", "action", "model"];
    let mut parts: Vec<String> = lists
        .iter()
        .map(|name| (name, joined(&route[*name])))
        .filter(|(_, wanted)| !wanted.is_empty())
        .map(|(name, wanted)| format!("{name}: {wanted}"))
        .collect();
    let labels = pairs(&route["labels"]);
    if !labels.is_empty() {
        parts.push(format!("labels: {labels}"));
    }
    parts.extend(route["when"].as_str().map(|when| format!("when: {when}")));
    if parts.is_empty() { "everything that comes in".to_owned() } else { parts.join("; ") }
}

pub(crate) fn config(command: &ConfigCommand, output: &mut Output<'_>) -> Result<(), Failure> {
    match command {
        ConfigCommand::Show(args) => {
            let mut config = args.plain.gateway.api()?.get(&["config"])?;
            if let Some(settings) = config["settings"].as_array_mut() {
                settings.retain(|setting| text(&setting["path"]).starts_with(&args.path));
            }
            if args.plain.json { Ok(output.json(&config)?) } else { settings(&config, output) }
        }
        ConfigCommand::Validate(args) => validate(args, output),
        ConfigCommand::Reload(plain) => {
            let reloaded = asked::act(&plain.gateway.api()?, &["config", "reload"])?;
            if plain.json { Ok(output.json(&reloaded)?) } else { changes(&reloaded, output) }
        }
    }
}

/// What a reload has changed.
fn changes(reload: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let part = |key: &str| joined(&reload[key]);
    asked::print_facts(
        &[
            ("configuration", number(&reload["generation"])),
            ("applied", part("applied")),
            ("needs a restart", part("needs_restart")),
            ("added", part("added")),
            ("removed", part("removed")),
            ("reloaded", part("reloaded")),
            ("rotated", part("rotated")),
            ("unchanged", part("unchanged")),
        ],
        output,
    )
}

fn settings(config: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let settings = config["settings"].as_array().map(Vec::as_slice).unwrap_or_default();
    if settings.is_empty() {
        output.say("no setting matches")?;
    }
    let row = |setting: &Value| [text(&setting["path"]), text(&setting["value"]), origin(setting)];
    let rows: Vec<[String; 3]> = settings.iter().map(row).collect();
    Ok(output.table_within(["SETTING", "VALUE", "FROM"], &rows, 1)?)
}

fn origin(setting: &Value) -> String {
    let from = match (setting["line"].as_u64(), setting["variable"].as_str()) {
        (Some(line), _) => format!("line {line}"),
        (None, Some(variable)) => format!("${variable}"),
        (None, None) => text(&setting["origin"]),
    };
    if setting["needs_restart"] == true { format!("{from}; the file has another by now") } else { from }
}

fn validate(args: &ValidateArgs, output: &mut Output<'_>) -> Result<(), Failure> {
    let toml = String::from_utf8(read_body(&args.file)?)
        .map_err(|_| Failure::new(Exit::Config, format!("{} is not UTF-8", args.file.display())))?;
    let body = Some(json!({ "toml": toml }));
    let api = args.plain.gateway.api()?;
    let check = api.post(Question { path: &["config", "validate"], body, ..Question::default() })?;
    let is_valid = check["valid"] == true;
    if args.plain.json {
        output.json(&check)?;
    } else if is_valid {
        output.line("no fault found; plugins were not asked, `postroom check` asks them")?;
    }
    let faults = check["faults"].as_array().into_iter().flatten();
    for fault in faults.filter(|_| !args.plain.json) {
        let place = fault["line"].as_u64().map(|line| format!("{}:{line}: ", args.file.display()));
        let path = text(&fault["path"]);
        let path = if path.is_empty() { path } else { format!("{path}: ") };
        output.line(plain(format!("{}{path}{}", place.unwrap_or_default(), text(&fault["message"]))))?;
        if let Some(hint) = fault["hint"].as_str() {
            output.line(format_args!("    hint: {}", plain(hint)))?;
        }
    }
    if is_valid { Ok(()) } else { Err(Failure::told(Exit::Config)) }
}

#[cfg(test)]
mod tests;
