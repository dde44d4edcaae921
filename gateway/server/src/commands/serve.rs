//! `postroom serve`: runs the gateway until a signal stops it.

use std::{io, sync::Arc};

use postroom_core::chain::Chain;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::mpsc,
};

use crate::{
    command::{ConfigFile, Exit, Failure, ServerFlags},
    config::{self, Overrides, Surroundings},
    reload::ReadAgain,
    run::{self, RunError},
};

/// Arguments of `postroom serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGTERM or Ctrl-C stops it: nothing new is taken, what is in flight may end, then it exits with 0. SIGHUP has it read
the configuration again and go over to it, while events come and go.

Examples:
  postroom serve --config /etc/postroom/postroom.toml
  postroom serve --listen 0.0.0.0:8080 --log-format json")]
pub(crate) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    #[command(flatten)]
    flags: ServerFlags,
}

pub(crate) fn run(args: Args) -> Result<(), Failure> {
    let (file, flags) = (args.file.config, Overrides::from(args.flags));
    let read = move || config::draft(&file, flags.clone(), &Surroundings::of_process());
    let config = read()?.finish()?;
    let read_again: ReadAgain = Arc::new(read);
    // Connections have threads of their own. What is left is the dispatcher with its tasks: on one thread they hand over
    // to each other without waking a core each time, which would cost more than what they do.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start: {error}")))?;
    runtime.block_on(async {
        let listener = TcpListener::bind(config.server.listen).await.map_err(|error| {
            Failure::new(Exit::Failed, format!("cannot listen on {}: {error}", config.server.listen))
                .hint("another program may have the port; choose one with --listen or [server] listen")
        })?;
        let cannot_wait = |error| Failure::new(Exit::Failed, format!("cannot wait for signals: {error}"));
        let stop = stop_signal().map_err(cannot_wait)?;
        let (wish, reloads) = mpsc::channel(1);
        tokio::spawn(tell_hang_ups(signal(SignalKind::hangup()).map_err(cannot_wait)?, wish));
        run::run(config, read_again, listener, reloads, stop).await.map_err(failure)
    })
}

/// Passes on that somebody wants a reload. A closed terminal sends this too, and must not end the gateway.
async fn tell_hang_ups(mut hang_ups: Signal, wish: mpsc::Sender<()>) {
    while hang_ups.recv().await.is_some() {
        let _one_waits_already = wish.try_send(());
    }
}

/// Ready when the process is asked to stop. The handlers are set when this returns, not when it is first waited for.
pub(super) fn stop_signal() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

pub(super) fn failure(error: RunError) -> Failure {
    match error {
        RunError::Config(faults) => faults.into(),
        other => Failure::new(Exit::Failed, Chain(&other).to_string()),
    }
}
