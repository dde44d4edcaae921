//! `postroom events tail`: what happens at a running gateway, as it happens.

use clap::ValueEnum;
use postroom_engine::Clock;
use postroom_openapi::time::Timestamp;
use serde_json::{Value, json};

use crate::{
    command::{Failure, Followed, GatewayFlags},
    commands::monitors::{Wanted, time},
    output::{Output, plain},
};

/// Flags of `events tail`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom events tail
  postroom events tail --topic deliveries --state dead
  postroom events tail --monitor checkout --json | jq .data

A retry, a destination and what else has no time of its own are shown with the time at which they were told.
Where the connection breaks, it goes on behind what was told last. What was missed is said on standard error.")]
pub(crate) struct Args {
    /// Only these; may be given more than once [default: all that the other flags leave]
    #[arg(long, value_enum, value_name = "TOPIC")]
    topic: Vec<Topic>,
    /// Only events of this kind, and their deliveries
    #[arg(long)]
    kind: Option<String>,
    /// Only events that came in by this source, and their deliveries
    #[arg(long)]
    source: Option<String>,
    /// Only this destination, and deliveries to it
    #[arg(long)]
    destination: Option<String>,
    /// Only what is about this monitor: its id or name, or the beginning of either if only one monitor has it
    #[arg(long)]
    monitor: Option<String>,
    /// Only deliveries in this state
    #[arg(long)]
    state: Option<String>,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Topic {
    Events,
    Deliveries,
    Incidents,
    Destinations,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let (api, clock) = (args.gateway.api()?, Clock::system());
    let mut query: Vec<(&str, String)> =
        args.topic.iter().map(|topic| ("topic", format!("{topic:?}").to_lowercase())).collect();
    let Args { kind, source, destination, state, .. } = args;
    for (name, value) in [("kind", kind), ("source", source), ("destination", destination), ("state", state)]
    {
        query.extend(value.clone().map(|value| (name, value)));
    }
    if let Some(monitor) = &args.monitor {
        query.push(("monitor", Wanted::new(monitor).find(&api)?.uid()));
    }
    api.follow(&query, |followed| match followed {
        Followed::Broken => Ok(output.say("the connection broke, trying again")?),
        Followed::Message { topic, id, data } if args.json => {
            Ok(output.line(json!({ "topic": topic, "id": id, "data": data }))?)
        }
        Followed::Message { topic, data, .. } if topic == "resync" => Ok(output.say(missed(&data))?),
        Followed::Message { topic, data, .. } => {
            let now = Timestamp::from_unix_ms(clock.now().as_unix_ms()).to_string();
            Ok(output.line(line(&topic, &data, &now.into()))?)
        }
    })
}

/// What was missed, for people.
fn missed(data: &Value) -> String {
    let topics: Vec<_> = data["topics"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let reason = data["reason"].as_str().unwrap_or("it does not say why");
    plain(format!("some {} are not shown: {reason}", topics.join(", ")))
}

/// A message in one line, which came `now`: that is the time of what has none of its own. Strangers have written parts of it.
fn line(topic: &str, data: &Value, now: &Value) -> String {
    let text = |place: &str| data.pointer(place).and_then(Value::as_str).unwrap_or_default();
    let (at, what, details) = match topic {
        "events" => {
            let name = ["/monitor/name", "/collection/name", "/subject"].map(text);
            let name = name.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
            (
                "/received_at",
                "event",
                vec![text("/kind"), text("/verdict"), name, text("/source"), text("/id")],
            )
        }
        "deliveries" => {
            let outcome = text("/last_outcome/message");
            let is_new = data["attempts_made"] == 0 && data["last_outcome"].is_null();
            let at = match (data["finished_at"].is_string(), is_new) {
                (true, _) => "/finished_at",
                (false, true) => "/created_at",
                (false, false) => "",
            };
            (
                at,
                "delivery",
                vec![text("/destination"), text("/state"), outcome, text("/id"), text("/event_id")],
            )
        }
        "incidents" => {
            let name = if data["monitor_name"].is_string() { "/monitor_name" } else { "/monitor_uid" };
            let at = if data["resolved_at"].is_string() { "/resolved_at" } else { "/opened_at" };
            (at, "incident", vec![text("/state"), text("/severity"), text(name), text("/id")])
        }
        "destinations" => {
            ("", "destination", vec![text("/name"), text("/state"), text("/gate"), text("/detail")])
        }
        other => ("", other, Vec::new()),
    };
    let at = time(data.pointer(at).filter(|_| !at.is_empty()).unwrap_or(now));
    let details = details.into_iter().filter(|detail| !detail.is_empty());
    let line = details.fold(format!("{at:<20}  {what:<12}"), |line, detail| format!("{line}  {detail}"));
    plain(line)
}

#[cfg(test)]
mod tests;
