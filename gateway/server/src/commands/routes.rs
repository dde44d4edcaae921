//! `postroom routes`: those of a running gateway, and what those of a configuration do with a body, and why.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use clap::Subcommand;
use postroom_core::{
    event::{Event, display_name},
    limits,
    route::{Decision, Explanation, decide},
};
use serde_json::{Value, json};

use super::{asked::Plain, setup};
use crate::{
    command::{ConfigFile, Exit, Failure},
    config::{Config, Overrides, nearest},
    output::{Output, plain},
    trial,
};

/// The commands about routes.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The routes of a running gateway, in the order in which they are asked
    List(Plain),
    /// Say where a body would go, and why, by the configuration
    Explain(Args),
}

/// Flags of `routes explain`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom routes explain --file run.json --source postman
  curl … | postroom routes explain --file - --source postman --label team=payments --json")]
pub(crate) struct Args {
    #[command(flatten)]
    config: ConfigFile,
    /// The body as Postman sends it; - reads standard input
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// The source it comes in by
    #[arg(long, value_name = "NAME")]
    source: String,
    /// A label of the request, like the URL's label.team=payments; can be given several times
    #[arg(long = "label", value_name = "NAME=VALUE", value_parser = parse_label)]
    labels: Vec<(String, String)>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(command: Command, output: &mut Output<'_>) -> Result<(), Failure> {
    let args = match command {
        Command::List(plain) => return setup::routes(&plain, output),
        Command::Explain(args) => args,
    };
    let config = args.config.load(Overrides::default())?;
    let body = read_body(&args.file)?;
    let event = event(&config, &args.source, args.labels, &body)?;
    let decision = decide(&config.routes, &event);
    if args.json { Ok(output.json(&as_json(&event, &decision))?) } else { print(&event, &decision, output) }
}

/// The event that the gateway would make of `body`.
fn event(
    config: &Config,
    source: &str,
    labels: Vec<(String, String)>,
    body: &[u8],
) -> Result<Event, Failure> {
    let Some(source) = config.sources.iter().find(|known| known.name.as_str() == source) else {
        let failure = Failure::new(Exit::NotFound, format!("there is no source \"{source}\""));
        let known = config.sources.iter().map(|source| source.name.as_str());
        return Err(match nearest::hint(source, known) {
            Some(hint) => failure.hint(hint),
            None => failure.hint("the configuration has no [[source]]"),
        });
    };
    Ok(trial::event(source, labels.into_iter().collect(), body))
}

pub(super) fn read_body(file: &Path) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let limit = limits::BODY_BYTES_MAX;
    let read = if file == Path::new("-") {
        io::stdin().take(limit + 1).read_to_end(&mut body)
    } else {
        fs::File::open(file).and_then(|file| file.take(limit + 1).read_to_end(&mut body))
    };
    match read {
        Ok(length) if length as u64 > limit => Err(Failure::new(
            Exit::Failed,
            format!("{} is larger than any source takes by default ({limit} bytes)", file.display()),
        )),
        Ok(_) => Ok(body),
        Err(error) => {
            let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::Failed };
            Err(Failure::new(exit, format!("cannot read {}: {error}", file.display())))
        }
    }
}

fn print(event: &Event, decision: &Decision, output: &mut Output<'_>) -> Result<(), Failure> {
    let facts = &event.facts;
    let verdict = event.verdict.map(|verdict| verdict.as_str().to_owned());
    for (name, value) in [
        ("kind", Some(event.kind.as_str().to_owned())),
        ("verdict", verdict),
        ("subject", event.subject.clone()),
        ("monitor", facts.monitor_name.as_deref().map(|name| display_name(name).to_owned())),
        ("collection", facts.collection_name.as_deref().map(|name| display_name(name).to_owned())),
        ("environment", facts.environment_name.as_deref().map(|name| display_name(name).to_owned())),
        ("action", facts.action.clone()),
        ("model", facts.model.clone()),
        ("note", event.note.clone()),
    ] {
        if let Some(value) = value {
            // Names come out of the body: an escape sequence in one must not reach the terminal.
            output.line(format_args!("{name:<12} {}", value.replace(char::is_control, " ")))?;
        }
    }
    output.line("")?;
    for Explanation { route, matched, reasons } in &decision.explanations {
        let reasons = reasons.iter().map(|reason| (reason.holds, reason.to_string()));
        print_route(route.as_str(), *matched, reasons, output)?;
    }
    if decision.targets.is_empty() {
        output.line("\nno destination gets it; it is kept all the same")?;
    } else {
        let targets: Vec<&str> = decision.targets.iter().map(|target| target.destination.as_str()).collect();
        output.line(format_args!("\ngoes to {}", targets.join(", ")))?;
    }
    Ok(())
}

/// Prints what a route does with an event, and its conditions, each with whether it holds. Names in them come out of bodies.
pub(super) fn print_route(
    name: &str,
    matched: bool,
    reasons: impl Iterator<Item = (bool, String)>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    output.line(format_args!("{} route \"{}\"", if matched { "takes " } else { "leaves" }, plain(name)))?;
    for (holds, reason) in reasons {
        output.line(format_args!("       {} {}", if holds { "+" } else { "-" }, plain(reason)))?;
    }
    Ok(())
}

fn as_json(event: &Event, decision: &Decision) -> Value {
    let routes: Vec<Value> = decision
        .explanations
        .iter()
        .map(|Explanation { route, matched, reasons }| {
            let reasons: Vec<Value> = reasons
                .iter()
                .map(|reason| {
                    json!({
                        "condition": reason.condition,
                        "wanted": reason.wanted,
                        "found": reason.found,
                        "holds": reason.holds,
                    })
                })
                .collect();
            json!({ "name": route.as_str(), "matched": matched, "reasons": reasons })
        })
        .collect();
    let targets: Vec<Value> = decision
        .targets
        .iter()
        .map(|target| json!({ "destination": target.destination.as_str(), "route": target.route.as_str() }))
        .collect();
    json!({
        "kind": event.kind.as_str(),
        "verdict": event.verdict.map(|verdict| verdict.as_str()),
        "subject": event.subject,
        "note": event.note,
        "labels": event.labels,
        "routes": routes,
        "targets": targets,
    })
}

fn parse_label(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE"),
    }
}

#[cfg(test)]
mod tests;
