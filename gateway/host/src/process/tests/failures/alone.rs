//! A process for one test alone, in which threads and descriptors can be counted.

use std::{
    any::type_name,
    env, fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{LazyLock, Once},
    thread,
    time::Duration,
};

use postroom_core::limits::{MESSAGE_BYTES_MAX, RECORD_BYTES_MAX};
use rustix::process::geteuid;
use tempfile::TempDir;
use tokio::{runtime, time::Instant};

use super::{
    super::{Delivered, Process, launch_file},
    Failure, WHOLE,
};
use crate::{
    sandbox::SandboxMode,
    testing::{Log, compile_to, delivery},
};

/// Set in the process of a test alone.
const ALONE: &str = "POSTROOM_TEST_ALONE";
/// How long a failed plugin has for its end, and what was its for going away.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than any of this may take of the gateway's memory, and far less than any of it could.
const MEMORY_MAX: u64 = 64 * 1024;

const BROKEN: &str = include_str!("../../../../../../tests/faulty/broken.c");
const HOSTILE: &str = include_str!("../../../../../../tests/faulty/hostile.c");
const PANIC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/faulty/panic.rs");

/// The libraries, where every user finds them.
pub(super) static LIBRARIES: LazyLock<Libraries> = LazyLock::new(Libraries::compile);

pub(super) struct Libraries {
    folder: TempDir,
    panic: Once,
}

impl Libraries {
    fn compile() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let library = |name: &str, source: &str, more: &[&str]| {
            let arguments = [&["-shared", "-fPIC", "-pthread"], more].concat();
            compile_to(&folder.path().join(format!("lib{name}.so")), source, &arguments);
        };
        library("broken", BROKEN, &[]);
        library("blocking", BROKEN, &["-DFLAGS=POSTROOM_PF_BLOCKING"]);
        library("constructor", BROKEN, &["-DCONSTRUCTOR=\"abort\""]);
        library("hostile", HOSTILE, &[]);
        Self { folder, panic: Once::new() }
    }

    /// Where they lie, with this one among them. The one in Rust takes a compiler that not every user can run, so only the
    /// tests that are about it have it built.
    pub(super) fn with(&self, library: &str) -> &Path {
        if library == "panic" {
            self.panic.call_once(|| {
                let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
                let mut build = Command::new(&compiler);
                build.args(["--edition=2021", PANIC, "-o"]).arg(self.path().join("libpanic.so"));
                let built = build.output();
                let built =
                    built.unwrap_or_else(|error| panic!("set RUSTC, {compiler:?} does not run: {error}"));
                assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
            });
        }
        self.path()
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// What this process was started for, if it is the one of a test alone.
pub(super) fn once_more() -> Option<PathBuf> {
    env::var_os(ALONE).map(PathBuf::from)
}

/// This binary once more, with `test` alone and something for it to work on.
pub(super) fn alone<T>(_test: T, program: Option<&[&str]>, work: &Path) -> Command {
    // The name of a function is its path, which begins with the crate.
    let (_, test) = type_name::<T>().split_once("::").unwrap();
    let this = env::current_exe().unwrap();
    let mut command = match program {
        Some([first, rest @ ..]) => {
            let mut command = Command::new(first);
            command.args(rest).arg(this);
            command
        }
        _ => Command::new(this),
    };
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, work);
    command
}

const NOBODY: &[&str] = &[
    "setpriv",
    "--reuid=65534",
    "--regid=65534",
    "--clear-groups",
    "--bounding-set=-all",
    "--inh-caps=-all",
    "--",
];

/// Has each failure happen, in a gateway of the own user, and in one of nobody where that is root.
#[track_caller]
pub(super) fn check<T: Copy>(test: T, failures: &[Failure]) {
    if let Some(libraries) = once_more() {
        return happen(&libraries, failures);
    }
    for failure in failures {
        LIBRARIES.with(failure.library);
    }
    let libraries = LIBRARIES.path();
    let mut users = vec![None];
    if geteuid().is_root() {
        users.push(Some(NOBODY));
    }
    let outputs: Vec<Output> = thread::scope(|scope| {
        let runs = users.into_iter().map(|user| {
            let mut command = alone(test, user, libraries);
            scope.spawn(move || command.output().unwrap())
        });
        runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap()).collect()
    });
    for Output { status, stdout, stderr } in outputs {
        let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
        assert!(status.success() && stdout.contains("1 passed"), "{status}\n{stdout}\n{stderr}");
    }
}

fn happen(libraries: &Path, failures: &[Failure]) {
    let log = Log::of("test");
    // Threads of the pool stay, so that they are there before and after.
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .thread_keep_alive(PATIENCE * 60)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let descriptors = Held::now().descriptors;
        meet(libraries, &WHOLE, &log).await;
        // The threads that are made for the first plugin are kept for the next.
        let (before, memory) = (Held { descriptors, ..Held::now() }, peak_kib());
        for failure in failures {
            meet(libraries, failure, &log).await;
            before.comes_back(failure).await;
            meet(libraries, &WHOLE, &log).await;
            before.comes_back(failure).await;
        }
        let taken = peak_kib().saturating_sub(memory);
        assert!(taken < MEMORY_MAX, "the gateway took {taken} KiB");
    });
}

/// Starts a plugin, has it deliver, and ends it.
async fn meet(libraries: &Path, failure: &Failure, log: &Log) {
    let library = libraries.join(format!("lib{}.so", failure.library));
    let mut launch = launch_file(&library, failure.mode, (failure.limits)());
    launch.sandbox.mode = SandboxMode::Required;
    let logged = log.text().len();
    let (outcome, end) = match Process::start(&launch).await {
        Err(error) => (error.with_cause(), String::new()),
        Ok(process) => {
            let until = Instant::now() + PATIENCE;
            let delivered = process.deliver(&delivery(failure.body), until, until).await;
            process.stop(Duration::from_millis(500)).await;
            (written(delivered), process.exited().await.to_string())
        }
    };
    let log = log.text().split_off(logged);
    for (what, text, expected) in
        [("outcome", &outcome, failure.outcome), ("end", &end, failure.end), ("log", &log, failure.log)]
    {
        assert!(text.contains(expected), "{what} of {failure:?}: {text}");
    }
}

fn written(delivered: Option<Delivered>) -> String {
    if let Some(Delivered::Outcome(outcome)) = &delivered {
        assert!(outcome.message.len() <= MESSAGE_BYTES_MAX);
        assert!(outcome.record_json.as_ref().is_none_or(|record| record.len() <= RECORD_BYTES_MAX));
    }
    format!("{delivered:?}")
}

/// The threads and descriptors of this process.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    threads: usize,
    descriptors: usize,
}

impl Held {
    fn now() -> Self {
        let count = |of: &str| fs::read_dir(of).unwrap().count();
        Self { threads: count("/proc/self/task"), descriptors: count("/proc/self/fd") }
    }

    /// Waits until there are no more than these. A process is gone a moment before all that was its.
    async fn comes_back(&self, failure: &Failure) {
        let began = Instant::now();
        while Self::now() != *self {
            assert!(began.elapsed() < PATIENCE, "{self:?} before, {:?} after {failure:?}", Self::now());
            tokio::task::yield_now().await;
        }
    }
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}
