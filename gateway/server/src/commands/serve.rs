//! `postroom serve`: runs the gateway until a signal stops it.

use std::io;

use postroom_core::chain::Chain;
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use crate::{
    command::{ConfigFile, Exit, Failure, ServerFlags},
    run::{self, RunError},
};

/// Arguments of `postroom serve`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
SIGTERM or Ctrl-C stops it: nothing new is taken, what is in flight may end, then it exits with 0.

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
    let config = args.file.load(args.flags.into())?;
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
        tokio::spawn(outlive_hang_ups(signal(SignalKind::hangup()).map_err(cannot_wait)?));
        run::run(config, listener, stop).await.map_err(failure)
    })
}

/// A closed terminal, or somebody who wants a reload, must not end the gateway.
async fn outlive_hang_ups(mut hang_ups: Signal) {
    while hang_ups.recv().await.is_some() {
        tracing::warn!("SIGHUP changes nothing: stop and start the gateway to read the configuration anew");
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
