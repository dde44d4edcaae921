//! One run of the gateway: the process behind a [`TestGateway`](super::TestGateway), or by itself.

use std::{
    net::SocketAddr,
    path::Path,
    process::{Child, ExitStatus, Stdio},
    thread,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};

use super::{Client, Logs, Program};

/// A gateway's process. Dropping it kills the process, and shows the end of its log if a test is failing.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    logs: Logs,
}

/// A gateway that is ready, and how to reach it.
#[derive(Debug)]
pub struct Serving {
    pub(super) process: Process,
    pub address: SocketAddr,
    pub client: Client,
}

impl Serving {
    /// Runs `postroom serve` in `folder` with these flags, and waits until it is ready.
    ///
    /// # Panics
    /// When it does not become ready.
    pub async fn start<'a>(
        program: &Program,
        folder: &Path,
        flags: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let args = ["serve", "--log-format", "json", "--log-level", "debug"];
        let mut command = program.command_that_survives_a_full_disk(args.into_iter().chain(flags));
        command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the gateway can be started");
        let stderr = child.stderr.take().expect("its standard error is a pipe");
        let process = Process { child, logs: Logs::collect(stderr) };

        let listening = process.logs.message("listening").await;
        process.logs.message("ready").await;
        let address = listening["address"].as_str().expect("the log says where it listens");
        let client = Client::new(address);
        Self { process, address: address.parse().expect("a socket address"), client }
    }

    /// The log of this process.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        self.process.logs()
    }

    /// Ends it like a power cut: SIGKILL, no last words.
    pub async fn kill(&mut self) {
        self.process.kill();
        self.process.ended().await;
    }

    /// Sends SIGTERM and waits until it has ended.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.process.ask_to_end();
        self.process.ended().await
    }

    /// Waits until it has ended and its log is complete.
    pub async fn ended(&mut self) -> ExitStatus {
        self.process.ended().await
    }
}

impl Process {
    pub(super) fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Sends SIGKILL.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("the gateway can be killed");
    }

    /// Sends SIGHUP.
    pub(super) fn hang_up(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("the gateway still runs");
    }

    /// Sends SIGTERM.
    pub(super) fn ask_to_end(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the gateway still runs");
    }

    /// The most memory it has had so far, in bytes.
    pub(super) fn memory_peak_bytes(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).expect("the gateway still runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kib.expect("the kernel tells the peak in kB") * 1024
    }

    /// Lets every write to a file fail, or none.
    pub(super) fn set_disk_full(&self, full: bool) {
        let Rlimit { maximum, .. } = getrlimit(Resource::Fsize);
        let current = if full { Some(0) } else { maximum };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, Rlimit { current, maximum })
            .expect("the limits of a child can be set");
    }

    /// Lets it open so many files and connections, or as many as the system allows.
    pub(super) fn limit_descriptors(&self, most: Option<u64>) {
        let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
        prlimit(
            Some(Pid::from_child(&self.child)),
            Resource::Nofile,
            Rlimit { current: most.or(maximum), maximum },
        )
        .expect("the limits of a child can be set");
    }

    /// Waits until the process has ended and its log is complete.
    pub(super) async fn ended(&mut self) -> ExitStatus {
        self.logs.ended().await;
        // Its log ends when the process does, so there is nothing left to wait for.
        self.child.wait().expect("the gateway can be waited for")
    }
}

impl Drop for Process {
    #[expect(clippy::print_stderr, reason = "a failed test needs the gateway's side of it")]
    fn drop(&mut self) {
        // The result does not matter: the process may have ended long ago.
        self.child.kill().ok();
        self.child.wait().ok();
        if thread::panicking() {
            eprintln!("the end of the gateway's log:\n{}", self.logs.tail());
        }
    }
}
