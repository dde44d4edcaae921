//! A process that is being started.

use std::{pin::Pin, sync::Arc, time::Duration};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::{Backoff, ReloadError, ReloadRequest, Reloaded};
use crate::process::{Launch, Process, StartError};

/// A process that is being started; dropping this ends it.
pub(super) struct Start {
    started: Pin<Box<dyn Future<Output = Started> + Send>>,
    purpose: Purpose,
}

/// What a process is started for.
enum Purpose {
    /// The next start of the same.
    Again,
    /// To take over. Once `hurry` is cancelled it waits for no other process.
    TakeOver { hurry: CancellationToken },
    /// To relieve the process that serves.
    Relieve,
}

/// How a start ended.
pub(super) enum Started {
    /// That of the same as before.
    Again(Result<Process, StartError>),
    /// That of a process which takes over.
    TakesOver(Result<Box<Successor>, ReloadError>),
    /// That of the same beside the one that serves, which it relieves.
    Relieves(Result<Process, StartError>),
}

/// A process that takes over.
pub(super) struct Successor {
    pub(super) process: Process,
    pub(super) launch: Launch,
    pub(super) backoff: Backoff,
    /// How long the process before it may take to end the deliveries that it has.
    pub(super) drain: Duration,
    /// Told when it has taken over.
    pub(super) done: oneshot::Sender<Reloaded>,
}

impl Start {
    /// The next start of the same.
    pub(super) fn again(launch: Launch) -> Self {
        let started = async move { Started::Again(Process::start(&launch).await) };
        Self { started: Box::pin(started), purpose: Purpose::Again }
    }

    /// The start of the same beside the one that serves. It waits for one that is `draining`, as below.
    pub(super) fn to_relieve(launch: Launch, draining: Option<Arc<Process>>) -> Self {
        let started = async move {
            if let Some(draining) = draining {
                draining.exited().await;
            }
            Started::Relieves(Process::start(&launch).await)
        };
        Self { started: Box::pin(started), purpose: Purpose::Relieve }
    }

    /// The start of a process that takes over once it is ready and whoever asked for it says so. It waits for the end of
    /// one that is `draining`, so that a plugin which is reloaded over and over has no more than two processes.
    pub(super) fn to_take_over(request: ReloadRequest, draining: Option<Arc<Process>>) -> Self {
        let hurry = CancellationToken::new();
        let hurried = hurry.clone();
        let started = async move {
            if let Some(draining) = draining {
                hurried.run_until_cancelled(draining.exited()).await;
            }
            Started::TakesOver(take_over(request).await.map(Box::new))
        };
        Self { started: Box::pin(started), purpose: Purpose::TakeOver { hurry } }
    }

    /// The process that served has ended. There is nothing to relieve any more, and a start to take over waits no longer for
    /// one that drains.
    pub(super) fn with_none_serving(self) -> Option<Self> {
        match &self.purpose {
            Purpose::Relieve => return None,
            Purpose::TakeOver { hurry } => hurry.cancel(),
            Purpose::Again => {}
        }
        Some(self)
    }

    /// Whether it is the next start of the same.
    pub(super) fn is_again(&self) -> bool {
        matches!(self.purpose, Purpose::Again)
    }
}

async fn take_over(request: ReloadRequest) -> Result<Successor, ReloadError> {
    let ReloadRequest { launch, backoff, drain, mut prepared, commit } = request;
    let started = tokio::select! {
        started = Process::start(&launch) => started,
        () = prepared.closed() => return Err(ReloadError::Withdrawn),
    };
    let process = match started {
        Ok(process) => process,
        Err(error) => {
            let error = ReloadError::from(error);
            // Whoever asked may have gone away.
            drop(prepared.send(Err(error.clone())));
            return Err(error);
        }
    };
    // As above: then there will be no word to take over.
    drop(prepared.send(Ok(())));
    // One that ends meanwhile takes over all the same, as one that ends right after: its settings are the ones to go on with.
    let done = commit.await.map_err(|_| ReloadError::Withdrawn)?;
    Ok(Successor { process, launch, backoff, drain, done })
}

/// Waits for the end of a start; for ever if there is none.
pub(super) async fn ended(start: Option<&mut Start>) -> Started {
    match start {
        Some(start) => start.started.as_mut().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
