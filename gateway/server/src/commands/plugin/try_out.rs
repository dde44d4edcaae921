//! `postroom plugin try`.

use std::{path::PathBuf, time::Duration};

use postroom_core::{
    event::Event,
    limits,
    outcome::{Outcome, OutcomeKind},
};
use postroom_host::{Delivered, Instance, InstanceConfig, PluginDelivery, PluginFile, Sample, Status};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::trial::{self, Trial};
use crate::{
    command::{Exit, Failure},
    commands::routes::read_body,
    output::{Output, OutputError, plain},
};

/// How long the plugin may take to end afterwards.
const STOP_MAX: Duration = Duration::from_secs(5);

/// How long the event is offered to a plugin that says that it is busy, and the pause in between.
const BUSY_MAX: Duration = Duration::from_secs(10);
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// Flags of `plugin try`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The event is made of the body as the gateway does it. What the plugin logs is shown too; --log-level debug shows more.
Exit code 0 when it was delivered or skipped, 7 otherwise.

Examples:
  postroom plugin try ./libpostroom_plugin_mine.so --event event.json
  curl … | postroom plugin try ./libpostroom_plugin_mine.so --event - --config '{\"topic\": \"on-call\"}' --json")]
pub(crate) struct Args {
    #[command(flatten)]
    trial: Trial,
    /// The body as Postman sends it; - reads standard input
    #[arg(long, value_name = "BODY")]
    event: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What came of it.
#[derive(Debug)]
struct Tried {
    outcome: Outcome,
    took: Duration,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let plugin = args.trial.inspect()?.map_err(|error| trial::refused(&args.trial.file, &error))?;
    let instance = args.trial.instance(&plugin)?;
    let sample = trial::sample(read_body(&args.event)?);
    let tried = trial::runtime()?.block_on(deliver(instance, &sample))?;
    if args.json {
        output.json(&as_json(&plugin, &sample.event, &tried))?;
    } else {
        print(&sample.event, &tried, output)?;
    }
    match tried.outcome.kind {
        OutcomeKind::Delivered | OutcomeKind::Skipped => Ok(()),
        _ => Err(Failure::told(Exit::PluginFailed)),
    }
}

/// Starts the plugin, has it deliver one event, and ends it.
async fn deliver(config: InstanceConfig, sample: &Sample) -> Result<Tried, Failure> {
    let instance = Instance::start(config);
    started(&instance).await?;
    let delivery = sample.delivery();
    let deadline = delivery.event.received_at.plus(limits::ATTEMPT_MAX);
    let delivery = PluginDelivery { deadline, time_limit: limits::ATTEMPT_MAX, ..delivery };
    let began = Instant::now();
    let ended = tokio::select! {
        biased;
        outcome = taken(&instance, &delivery) => outcome,
        failure = gone(&instance) => Err(failure),
    };
    let took = began.elapsed();
    instance.stop(STOP_MAX).await;
    Ok(Tried { outcome: ended?, took })
}

/// Offers the event, as a gateway does, until the plugin takes it.
async fn taken(instance: &Instance, delivery: &PluginDelivery) -> Result<Outcome, Failure> {
    let until = Instant::now() + BUSY_MAX;
    loop {
        match instance.deliver(delivery.clone()).await {
            Delivered::Outcome(outcome) | Delivered::Interrupted(outcome) => return Ok(outcome),
            Delivered::NotAccepted | Delivered::Cancelled if Instant::now() < until => sleep(BUSY_WAIT).await,
            Delivered::NotAccepted | Delivered::Cancelled => {
                let message = format!("the plugin did not take the event: it was busy for {BUSY_MAX:?}");
                return Err(Failure::new(Exit::PluginFailed, message));
            }
        }
    }
}

/// Waits until the plugin's process ends without the event.
async fn gone(instance: &Instance) -> Failure {
    let mut status = instance.status();
    let ended = status.wait_for(|status| !matches!(status, Status::Ready { .. })).await;
    let why = match ended.as_deref() {
        Ok(Status::Backoff { last_error, .. }) => last_error,
        _ => "it was stopped",
    };
    Failure::new(Exit::PluginFailed, plain(format!("the plugin started and did not stay: {why}")))
}

async fn started(instance: &Instance) -> Result<(), Failure> {
    let failed = |why: &str| Failure::new(Exit::PluginFailed, format!("the plugin does not start: {why}"));
    let mut status = instance.status();
    let started = status.wait_for(|status| !matches!(status, Status::Starting)).await;
    match started.as_deref() {
        Ok(Status::Ready { .. }) => Ok(()),
        Ok(Status::Refused { reason }) => {
            let message = format!("the plugin refuses its settings: {reason}");
            Err(Failure::new(Exit::Config, message).hint("give them with --config"))
        }
        Ok(Status::Backoff { last_error, .. }) => Err(failed(last_error)),
        Ok(Status::Starting | Status::Stopped) | Err(_) => Err(failed("it was stopped")),
    }
}

fn print(event: &Event, Tried { outcome, took }: &Tried, output: &mut Output<'_>) -> Result<(), OutputError> {
    output.line(format_args!("{} after {} ms", in_words(outcome.kind), took.as_millis()))?;
    let verdict = event.verdict.map(|verdict| format!(", {verdict}")).unwrap_or_default();
    let rows = [
        ("event", format!("{}{verdict}, {} bytes", event.kind, event.body_bytes)),
        ("note", event.note.clone().unwrap_or_default()),
        ("code", outcome.code.clone()),
        ("message", outcome.message.clone()),
        ("record", outcome.record_json.clone().unwrap_or_default()),
        ("then", then(outcome)),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("  {name:<8} {}", plain(value)))?;
    }
    Ok(())
}

const fn in_words(kind: OutcomeKind) -> &'static str {
    match kind {
        OutcomeKind::Delivered => "delivered",
        OutcomeKind::Skipped => "skipped",
        OutcomeKind::Retry => "to be tried again",
        OutcomeKind::RateLimited => "rate limited",
        OutcomeKind::Permanent => "never to be delivered",
        OutcomeKind::Misconfigured => "misconfigured",
    }
}

/// What a gateway does next.
fn then(outcome: &Outcome) -> String {
    let wait = outcome.retry_after.map(|wait| format!("after {wait:?}"));
    match outcome.kind {
        OutcomeKind::Delivered | OutcomeKind::Skipped => String::new(),
        OutcomeKind::Retry => {
            let wait = wait.unwrap_or_else(|| "after its next wait".to_owned());
            format!("a gateway tries again {wait}; after the last wait it becomes a dead letter")
        }
        OutcomeKind::RateLimited => {
            let wait = wait.unwrap_or_else(|| "after a pause".to_owned());
            format!("a gateway goes on with the destination {wait}; this costs no attempt")
        }
        OutcomeKind::Permanent => "in a gateway it becomes a dead letter at once".to_owned(),
        OutcomeKind::Misconfigured => {
            "in a gateway the destination waits until somebody changes its settings; this costs no attempt"
                .to_owned()
        }
    }
}

fn as_json(plugin: &PluginFile, event: &Event, Tried { outcome, took }: &Tried) -> Value {
    // The host lets nothing but an object through.
    let record: Option<Value> =
        outcome.record_json.as_ref().and_then(|record| serde_json::from_str(record).ok());
    let in_ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    json!({
        "plugin": { "id": plugin.manifest.id, "version": plugin.manifest.version },
        "event": {
            "kind": event.kind.as_str(),
            "verdict": event.verdict.map(|verdict| verdict.as_str()),
            "subject": event.subject,
            "note": event.note,
            "body_bytes": event.body_bytes,
        },
        "outcome": outcome.kind.as_str(),
        "code": outcome.code,
        "message": outcome.message,
        "record": record,
        "retry_after_ms": outcome.retry_after.map(in_ms),
        "took_ms": in_ms(*took),
    })
}

#[cfg(test)]
mod tests;
