//! Keeps the plugin process of one destination running.

mod backoff;
mod status;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep},
};

pub use self::{backoff::Backoff, status::Status};
use crate::{
    clock, config_fault,
    instance::{Phase, StopRequest},
    process::{Launch, Process, StartError},
};

/// Starts the process, watches it, and starts it again.
pub(crate) struct Supervisor {
    pub(crate) launch: Launch,
    pub(crate) backoff: Backoff,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) status: watch::Sender<Status>,
    pub(crate) stop: mpsc::Receiver<StopRequest>,
}

impl Supervisor {
    /// Goes on until it is asked to stop, or all handles are gone.
    pub(crate) async fn run(mut self) {
        let mut failures = 0;
        let mut starts: u32 = 0;
        let request = loop {
            let started = tokio::select! {
                request = self.stop.recv() => break request,
                started = Process::start(&self.launch) => started,
            };
            let wait = match started {
                Ok(process) => {
                    let process = Arc::new(process);
                    let since = Instant::now();
                    self.ready(&process, starts);
                    starts = starts.saturating_add(1);
                    let exit = tokio::select! {
                        request = self.stop.recv() => {
                            self.end(Some(process), request).await;
                            return;
                        }
                        exit = process.exited() => exit,
                    };
                    if since.elapsed() >= self.backoff.healthy_after {
                        failures = 0;
                    }
                    failures += 1;
                    self.failed(failures, format!("the plugin process ended: {exit}"))
                }
                Err(StartError::Refused(faults)) => {
                    failures = 0;
                    self.refused(&config_fault::list(&faults))
                }
                Err(error) => {
                    failures += 1;
                    self.failed(failures, error.with_cause())
                }
            };
            tokio::select! {
                request = self.stop.recv() => break request,
                () = sleep(wait) => {}
            }
            self.starting();
        };
        self.end(None, request).await;
    }

    /// Announces a new try. A refusal stands until a process says otherwise, so that deliveries need not wait for what
    /// will most likely be refused again.
    fn starting(&self) {
        if !matches!(*self.phase.borrow(), Phase::Refused(_)) {
            self.status.send_replace(Status::Starting);
        }
    }

    fn ready(&self, process: &Arc<Process>, restarts: u32) {
        let sandbox = process.layers();
        tracing::info!(
            destination = self.destination(),
            plugin = self.launch.plugin.manifest.id,
            version = self.launch.plugin.manifest.version,
            pid = process.pid,
            sandbox = %sandbox,
            "plugin ready"
        );
        self.phase.send_replace(Phase::Ready(Arc::clone(process)));
        let (pid, since) = (process.pid, clock::now());
        self.status.send_replace(Status::Ready { pid, since, restarts, sandbox });
    }

    fn failed(&self, failures: u32, last_error: String) -> Duration {
        let wait = self.backoff.wait(failures);
        tracing::warn!(
            destination = self.destination(),
            failures,
            error = last_error,
            "plugin failed, starting it again in {wait:?}"
        );
        self.phase.send_replace(Phase::Waiting);
        let next_start = clock::now().plus(wait);
        self.status.send_replace(Status::Backoff { failures, last_error, next_start });
        wait
    }

    fn refused(&self, reason: &str) -> Duration {
        let known = matches!(&*self.phase.borrow(), Phase::Refused(before) if &**before == reason);
        if !known {
            tracing::error!(destination = self.destination(), reason, "plugin refuses its config");
            self.phase.send_replace(Phase::Refused(reason.into()));
            self.status.send_replace(Status::Refused { reason: reason.to_owned() });
        }
        self.backoff.refused
    }

    async fn end(&self, process: Option<Arc<Process>>, request: Option<StopRequest>) {
        self.phase.send_replace(Phase::Stopped);
        // Without a request all handles are gone: nobody waits, and dropping the process kills it.
        if let (Some(process), Some(request)) = (process, &request) {
            process.stop(request.deadline).await;
        }
        self.status.send_replace(Status::Stopped);
        if let Some(request) = request {
            let _nobody_waits = request.done.send(());
        }
    }

    fn destination(&self) -> &str {
        self.launch.destination.as_str()
    }
}
