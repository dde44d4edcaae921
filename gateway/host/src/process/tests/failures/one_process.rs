//! A host that loads plugins into its own process, to be thrown away.
#![expect(unsafe_code, reason = "loads plugins of which the worst is expected")]

use std::{
    fs::{self, File},
    mem,
    os::unix::process::ExitStatusExt,
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use rustix::{
    process::{Pid, Signal, WaitOptions, kill_process, waitpid},
    time::{ClockId, clock_gettime},
};
use serde_json::json;

use super::alone::{LIBRARIES, alone};
use crate::{in_process::InProcess, inspect::inspect, testing::delivery};

/// As much of the processor as nothing here needs that ever comes back.
const NEVER: Duration = Duration::from_secs(2);

/// Has a host of its own load this library and says what became of it.
pub(super) fn meet<T>(test: T, library: &str, mode: &str, body: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let library = LIBRARIES.with(library).join(format!("lib{library}.so"));
    fs::write(folder.path().join("trial"), format!("{}\n{mode}\n{body}", library.display())).unwrap();
    let mut host = alone(test, None, folder.path());
    let ended = wait(host.stdout(Stdio::null()).stderr(Stdio::null()));
    fs::read_to_string(folder.path().join("met")).unwrap_or(ended)
}

/// Waits until the process has ended, or has been stopped.
#[expect(clippy::zombie_processes, reason = "it is waited for by waitpid, which also tells of a stop")]
fn wait(command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let pid = Pid::from_child(&child);
    let (_, status) = waitpid(Some(pid), WaitOptions::UNTRACED).unwrap().unwrap();
    if status.stopped() {
        kill_process(pid, Signal::KILL).unwrap();
        child.wait().unwrap();
        return "stopped".to_owned();
    }
    let status = ExitStatus::from_raw(status.as_raw());
    status
        .code()
        .map_or_else(|| format!("signal {}", status.signal().unwrap()), |code| format!("exit code {code}"))
}

/// The host: does what `trial` in this folder says and writes down what it met, if it gets that far.
pub(super) fn run(folder: &Path) {
    let trial = fs::read_to_string(folder.join("trial")).unwrap();
    let [library, mode, body] =
        trial.splitn(3, '\n').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap();
    let own = File::open(folder.join("trial")).unwrap();
    let (sender, met) = mpsc::channel();
    thread::spawn(move || {
        let plugin = inspect(Path::new(&library)).unwrap();
        // SAFETY: this process is there to be broken.
        let instance = unsafe { InProcess::start(&plugin, &json!({ "mode": mode })) }.unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let delivered = runtime.block_on(instance.deliver(&delivery(body.leak())));
        instance.stop(Duration::from_secs(60));
        sender.send(format!("{delivered:?}")).unwrap();
    });
    let mut met = loop {
        match met.recv_timeout(Duration::from_millis(10)) {
            Ok(met) => break met,
            // By the processor's time and not by the clock's: a machine may have much else to do.
            Err(RecvTimeoutError::Timeout) if processor_time() > NEVER => break "never came back".to_owned(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => panic!("the trial cannot be run"),
        }
    };
    if own.metadata().is_err() {
        "the host's files are closed".clone_into(&mut met);
    }
    // It may be somebody else's by now.
    mem::forget(own);
    fs::write(folder.join("met"), met).unwrap();
}

/// What this process has had of the processor.
fn processor_time() -> Duration {
    clock_gettime(ClockId::ProcessCPUTime).try_into().unwrap()
}
