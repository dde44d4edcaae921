//! `postroom send`: plays Postman.

pub(super) mod bodies;
pub(crate) mod client;
mod tally;

use std::{
    num::{NonZeroU32, NonZeroU64},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::ValueEnum;
use reqwest::Url;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use self::{
    bodies::Spelling,
    tally::{Reply, Tally},
};
use crate::{
    command::{Exit, Failure},
    output::Output,
};

/// Up to so many requests each reply gets a line; above, only the summary is shown.
const LINES_MAX: u64 = 20;

/// Flags of `send`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without KIND the kinds take turns. The same monitor name is the same monitor, so this opens and resolves an incident:
  postroom send monitor_run --failing --to 'http://127.0.0.1:8080/hooks/postman?token=…'
  postroom send monitor_run --to 'http://127.0.0.1:8080/hooks/postman?token=…'

More examples:
  postroom send --to URL                                       one of each kind
  postroom send backup --collection orders.json --to URL       the file, byte for byte, as Postman would send it
  postroom send --to URL --count 10000 --rate 500 --concurrency 64")]
pub(crate) struct Args {
    /// What to send
    #[arg(value_enum)]
    kind: Option<SentKind>,
    /// The webhook URL with its token; put it in quotes
    // Text here: clap would show a URL that cannot be read, and with it the token.
    #[arg(long, value_name = "URL")]
    to: String,
    /// How many requests; without it one of each kind
    #[arg(long, value_name = "N")]
    count: Option<NonZeroU64>,
    /// Requests a second; without it as fast as the replies come
    #[arg(long, value_name = "N")]
    rate: Option<NonZeroU32>,
    /// Requests under way at once; Postman's own order is kept only by 1
    #[arg(long, value_name = "N", default_value = "1")]
    concurrency: NonZeroU32,
    /// Let the monitor run fail
    #[arg(long)]
    failing: bool,
    /// The monitor's name
    #[arg(long, value_name = "NAME", default_value = "Checkout smoke test")]
    monitor: String,
    /// How the counters of a run are spelled
    #[arg(long, value_enum, default_value = "documented")]
    spelling: Spelling,
    /// Send this collection as the backup
    #[arg(long, value_name = "FILE")]
    collection: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum SentKind {
    /// The result of a monitor run
    #[value(alias = "monitor")]
    MonitorRun,
    /// A whole collection
    #[value(alias = "backup")]
    CollectionBackup,
    /// An entry of the activity feed
    Activity,
}

/// What is sent, decided.
#[derive(Debug)]
struct Script {
    kinds: Vec<SentKind>,
    failing: bool,
    monitor: String,
    spelling: Spelling,
    collection: Option<Vec<u8>>,
}

impl Script {
    fn of(args: &Args) -> Result<Self, Failure> {
        let kinds = match (args.kind, &args.collection) {
            (Some(kind), Some(_)) if kind != SentKind::CollectionBackup => {
                return Err(Failure::new(Exit::Usage, "--collection is for backups only"));
            }
            (Some(kind), _) => vec![kind],
            (None, Some(_)) => vec![SentKind::CollectionBackup],
            (None, None) => vec![SentKind::MonitorRun, SentKind::CollectionBackup, SentKind::Activity],
        };
        let read = |file: &PathBuf| {
            std::fs::read(file).map_err(|error| {
                Failure::new(Exit::NotFound, format!("cannot read {}: {error}", file.display()))
            })
        };
        Ok(Self {
            kinds,
            failing: args.failing,
            monitor: args.monitor.clone(),
            spelling: args.spelling,
            collection: args.collection.as_ref().map(read).transpose()?,
        })
    }

    /// The body of request `number`, counted from 0.
    fn body(&self, number: u64) -> Vec<u8> {
        let kinds = self.kinds.len() as u64;
        // The remainder is below the length, so it fits.
        let kind = self.kinds[usize::try_from(number % kinds).unwrap_or_default()];
        let round = number / kinds;
        match kind {
            SentKind::MonitorRun => bodies::monitor_run(&self.monitor, self.failing, self.spelling, round),
            SentKind::CollectionBackup => match &self.collection {
                Some(collection) => bodies::backup_of(collection),
                None => bodies::collection_backup(round),
            },
            SentKind::Activity => bodies::activity(round),
        }
    }
}

pub(crate) fn run(args: Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let script = Script::of(&args)?;
    let url = parse_url(&args.to)?;
    let count = args.count.map_or(script.kinds.len() as u64, NonZeroU64::get);
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start threads: {error}")))?;
    let started = std::time::Instant::now();
    let tally = runtime.block_on(send(&args, &url, Arc::new(script), count, output))?;
    let exit = tally.exit();
    if count > 1 {
        tally.summary(started.elapsed()).into_iter().try_for_each(|line| output.say(line))?;
    }
    if exit == Exit::Done { Ok(()) } else { Err(Failure::told(exit)) }
}

async fn send(
    args: &Args,
    url: &Url,
    script: Arc<Script>,
    count: u64,
    output: &mut Output<'_>,
) -> Result<Tally, Failure> {
    let client = client::client(url.as_str()).map_err(|error| {
        Failure::new(Exit::Failed, format!("cannot set up the client: {error}"))
            .hint("https needs the system's certificates: install the package ca-certificates")
    })?;
    let permits = Arc::new(Semaphore::new(args.concurrency.get() as usize));
    let started = Instant::now();
    let mut requests = JoinSet::new();
    let mut tally = Tally::default();
    let mut record = |(reply, took): (Reply, Duration)| {
        tally.add(&reply, took);
        if count <= LINES_MAX { show(&reply, took, output) } else { Ok(()) }
    };
    for number in 0..count {
        if let Some(rate) = args.rate {
            sleep_until(started + due(number, rate)).await;
        }
        let permit = Arc::clone(&permits).acquire_owned().await;
        let (client, script, url) = (client.clone(), Arc::clone(&script), url.clone());
        requests.spawn(async move {
            let begun = Instant::now();
            let reply = client::post(&client, &url, script.body(number)).await;
            drop(permit);
            (reply, begun.elapsed())
        });
        while let Some(ended) = requests.try_join_next() {
            record(finished(ended)?)?;
        }
    }
    while let Some(ended) = requests.join_next().await {
        record(finished(ended)?)?;
    }
    Ok(tally)
}

/// When request `number` is due, from the start.
fn due(number: u64, rate: NonZeroU32) -> Duration {
    Duration::from_secs_f64(number as f64 / f64::from(rate.get()))
}

fn finished<T>(ended: Result<T, tokio::task::JoinError>) -> Result<T, Failure> {
    ended.map_err(|error| Failure::new(Exit::Failed, format!("a request broke off: {error}")))
}

fn show(reply: &Reply, took: Duration, output: &mut Output<'_>) -> Result<(), Failure> {
    let took = tally::millis(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
    match reply {
        Reply::Answered { status, said } => output.line(format_args!("{status}  {took}  {said}"))?,
        Reply::Unanswered { cause } => output.error(format_args!("no answer: {cause}"))?,
    }
    Ok(())
}

fn parse_url(text: &str) -> Result<Url, Failure> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| Failure::new(Exit::Usage, "--to is not an http or https URL"))
}

#[cfg(test)]
mod tests;
