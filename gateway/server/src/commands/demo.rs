//! `postroom demo`: a whole gateway with stand-ins for the outside world, and Postman's webhooks played to it.

mod follow;
mod script;
mod stand_in;

use std::{fs, io, path::Path, pin::pin, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::mpsc, task::JoinError};
use tokio_util::sync::CancellationToken;

use self::{
    follow::{Api, Followed},
    stand_in::{INBOX_PATH, PAGE_PATH, StandIn},
};
use super::{
    init::fresh_token,
    serve::{failure, stop_signal},
};
use crate::{
    command::{Exit, Failure},
    config::{self, Config, Overrides, Surroundings, variables::PLUGINS_PATH},
    output::Output,
    reload::ReadAgain,
    run,
    serve::{self, Limits},
};

const TEMPLATE: &str = include_str!("demo/postroom.toml");

/// Arguments of `postroom demo`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
It starts a gateway on a free port with the bundled plugins, a local stand-in for ITOC360, an inbox and a backup folder,
plays Postman's webhooks to it and shows what became of each. Everything lies in a temporary folder that goes with it.

Examples:
  postroom demo           stays up afterwards; Ctrl-C ends it
  postroom demo --once    ends after the table: with 0, or with 1 if anything was not delivered")]
pub(crate) struct Args {
    /// End after the table
    #[arg(long)]
    once: bool,
}

/// What the person needs to look around.
struct Demo {
    url: String,
    source_token: String,
    api_key: String,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(cannot("start"))?;
    runtime.block_on(demo(args, output))
}

async fn demo(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let folder = tempfile::Builder::new()
        .prefix("postroom-demo-")
        .tempdir()
        .map_err(cannot("make a temporary folder"))?;
    let stop = CancellationToken::new();
    let mut interrupted = pin!(stop_signal().map_err(cannot("wait for signals"))?);

    let (itoc360, itoc360_token) = start_stand_in(&stop).await?;
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(cannot("listen"))?;
    let address = listener.local_addr().map_err(cannot("listen"))?;
    let demo =
        Demo { url: format!("http://{address}"), source_token: fresh_token()?, api_key: fresh_token()? };
    let config = configure(folder.path(), &demo, &itoc360, &itoc360_token)?;
    let file = config.file.clone();
    let read_again: ReadAgain = Arc::new(move || config::draft(&file, Overrides::default(), &surroundings()));
    // Nobody asks for a reload: it ends with this channel.
    let (_, reloads) = mpsc::channel(1);
    let stopped = stop.clone().cancelled_owned();
    let mut gateway = tokio::spawn(run::run(config, read_again, listener, reloads, stopped));

    let shown = async {
        let complete = play(&demo, folder.path(), &itoc360, output).await?;
        if !args.once {
            invite(&demo, folder.path(), output)?;
            std::future::pending::<()>().await;
        }
        if complete { Ok(()) } else { Err(Failure::new(Exit::Failed, "not everything was delivered")) }
    };
    let shown = tokio::select! {
        shown = shown => shown,
        () = &mut interrupted => Ok(()),
        ended = &mut gateway => return Err(unexpected_end(ended)),
    };
    stop.cancel();
    match gateway.await {
        Ok(ended) => shown.and(ended.map_err(failure)),
        Err(error) => Err(Failure::new(Exit::Failed, format!("the gateway ended by a fault: {error}"))),
    }
}

async fn start_stand_in(stop: &CancellationToken) -> Result<(String, String), Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(cannot("listen"))?;
    let address = listener.local_addr().map_err(cannot("listen"))?;
    let token = fresh_token()?;
    let stand_in = StandIn::new(&token);
    tokio::spawn(serve::serve(listener, stand_in, Limits::default(), stop.clone().cancelled_owned()));
    Ok((format!("http://{address}"), token))
}

fn configure(folder: &Path, demo: &Demo, itoc360: &str, itoc360_token: &str) -> Result<Config, Failure> {
    let text = TEMPLATE
        .replace("{source-token}", &demo.source_token)
        .replace("{api-key}", &demo.api_key)
        .replace("{itoc360-url}", itoc360)
        .replace("{itoc360-token}", itoc360_token)
        .replace("{inbox-url}", &format!("{itoc360}{INBOX_PATH}"));
    let file = folder.join("postroom.toml");
    fs::write(&file, &text).map_err(cannot("write the configuration"))?;
    Ok(config::load(&file, Overrides::default(), &surroundings())?)
}

/// The process's surroundings without its environment, but for where the plugins are. A `POSTROOM_STORE_URL` meant for
/// the real gateway would have the demo deliver that gateway's waiting events to its stand-ins.
fn surroundings() -> Surroundings<'static> {
    Surroundings {
        env: &|name| (name == PLUGINS_PATH).then(|| std::env::var_os(name)).flatten(),
        ..Surroundings::of_process()
    }
}

/// Plays every step and shows what became of it; says whether everything arrived.
async fn play(demo: &Demo, folder: &Path, itoc360: &str, output: &mut Output<'_>) -> Result<bool, Failure> {
    let api = Api::new(&demo.url, &demo.api_key)?;
    api.ready().await?;
    output.say(format_args!(
        "gateway      {}\nITOC360      a stand-in that answers as ITOC360 does; its incidents: {itoc360}{PAGE_PATH}\n\
         backups      {}\n",
        demo.url,
        folder.join("backups").display(),
    ))?;
    let mut rows = Vec::new();
    let mut complete = true;
    for step in script::steps() {
        let event = api.post(&demo.source_token, step.body).await?;
        let Followed { lines, arrived } = api.follow(&event).await?;
        complete &= arrived;
        let (mut kind, mut what) = (event.kind, step.what.to_owned());
        for line in lines {
            rows.push([
                std::mem::take(&mut kind),
                std::mem::take(&mut what),
                line.destination,
                line.state,
                line.answer,
            ]);
        }
    }
    output.table(["EVENT", "WHAT POSTMAN SENT", "DESTINATION", "STATE", "WHAT CAME BACK"], &rows)?;
    Ok(complete)
}

fn invite(demo: &Demo, folder: &Path, output: &mut Output<'_>) -> Result<(), Failure> {
    let Demo { url, source_token, api_key } = demo;
    // As the person called it: the demo may run from a build folder that is on no search path.
    let program = std::env::args().next().unwrap_or_else(|| "postroom".to_owned());
    output.say(format_args!(
        "\nThe gateway stays up. Look around:\n  \
         {url}/docs    the API\n  \
         curl -H 'Authorization: Bearer {api_key}' {url}/api/v1/events\n  \
         {program} send monitor_run --failing --to '{url}/hooks/postman?token={source_token}'\n  \
         ls -R {}\n\nCtrl-C ends it.",
        folder.join("backups").display()
    ))?;
    Ok(())
}

fn unexpected_end(ended: Result<Result<(), run::RunError>, JoinError>) -> Failure {
    match ended {
        Ok(Err(error)) => failure(error),
        Ok(Ok(())) => Failure::new(Exit::Failed, "the gateway ended before it was asked to"),
        Err(error) => Failure::new(Exit::Failed, format!("the gateway ended by a fault: {error}")),
    }
}

fn cannot(what: &'static str) -> impl Fn(io::Error) -> Failure {
    move |error| Failure::new(Exit::Failed, format!("cannot {what}: {error}"))
}

/// How long the demo waits for anything before it says that it did not come.
const PATIENCE: Duration = Duration::from_secs(60);
