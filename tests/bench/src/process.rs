//! The processes that the bench starts: each ends with the value that holds it.

use std::{
    env,
    ffi::OsStr,
    io::{BufRead as _, BufReader, Lines, Read},
    net::SocketAddr,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{
    load::{Load, Loaded},
    readers::{Heard, Readers},
};

/// A process that is killed when this is dropped, with all that it has started.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        // A group of its own: some programs are scripts that start the real one.
        command.stdin(Stdio::null()).process_group(0);
        Ok(Self(command.spawn().with_context(|| format!("cannot start {name}"))?))
    }

    /// Starts a process whose output is of no interest.
    pub(crate) fn start_quiet(command: &mut Command) -> anyhow::Result<Self> {
        Self::start(command.stdout(Stdio::null()).stderr(Stdio::null()))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn output(&mut self) -> Option<impl Read + Send + use<>> {
        self.0.stdout.take()
    }

    pub(crate) fn errors(&mut self) -> Option<impl Read + Send + use<>> {
        self.0.stderr.take()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, and then there is nothing to do.
        kill_process_group(Pid::from_child(&self.0), Signal::KILL).ok();
        self.0.wait().ok();
    }
}

/// A part of this program that listens.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Listening {
    /// The HTTP contract without a gateway.
    pub(crate) fn noop() -> anyhow::Result<Self> {
        Self::start(["noop"])
    }

    /// The bare responder.
    pub(crate) fn sink(threads: usize) -> anyhow::Result<Self> {
        Self::start(["sink", "--threads", &threads.to_string()])
    }

    fn start<'a>(args: impl IntoIterator<Item = &'a str>) -> anyhow::Result<Self> {
        let mut process = Process::start(this_program()?.args(args).stdout(Stdio::piped()))?;
        let output = process.output().context("a part of the bench has no output")?;
        let mut line = String::new();
        BufReader::new(output)
            .read_line(&mut line)
            .context("cannot read where a part of the bench listens")?;
        let address = line.trim().parse().context("a part of the bench does not say where it listens")?;
        Ok(Self { process, address })
    }
}

/// Runs the load generator in a process of its own until it ends.
pub(crate) fn load(load: &Load) -> anyhow::Result<Loaded> {
    let mut command = this_program()?;
    command.arg("load").args(["--target", &load.target.to_string(), "--path", &load.path]);
    if let Some(bytes) = load.backup_bytes {
        command.args(["--backup-bytes", &bytes.to_string()]);
    }
    let numbers = [
        ("--subjects", load.subjects.to_string()),
        ("--connections", load.connections.to_string()),
        ("--threads", load.threads.to_string()),
        ("--warm-up", load.warm_up.to_string()),
        ("--seconds", load.seconds.to_string()),
    ];
    for (name, value) in numbers {
        command.args([name, &value]);
    }
    let output = command.stderr(Stdio::inherit()).output().context("cannot start the load generator")?;
    if !output.status.success() {
        bail!("the load generator failed");
    }
    serde_json::from_slice(&output.stdout).context("cannot read what the load generator found")
}

/// Readers of a stream, in a process of their own.
pub(crate) struct Reading {
    _process: Process,
    lines: Lines<BufReader<Box<dyn Read + Send>>>,
}

/// Starts readers and waits until all of them read.
pub(crate) fn readers(readers: &Readers) -> anyhow::Result<Reading> {
    let Readers { target, path, key, readers, seconds } = readers;
    let mut command = this_program()?;
    command.arg("read").args(["--target", &target.to_string(), "--path", path, "--key", key]);
    command.args(["--readers", &readers.to_string(), "--seconds", &seconds.to_string()]);
    let mut process = Process::start(command.stdout(Stdio::piped()))?;
    let output: Box<dyn Read + Send> = Box::new(process.output().context("the readers have no output")?);
    let mut lines = BufReader::new(output).lines();
    lines.next().context("the readers ended before they read")??;
    Ok(Reading { _process: process, lines })
}

impl Reading {
    /// Waits until they have read for as long as they should.
    pub(crate) fn heard(mut self) -> anyhow::Result<Heard> {
        let line = self.lines.next().context("the readers ended before their time")??;
        serde_json::from_str(&line).context("cannot read what the readers heard")
    }
}

fn this_program() -> anyhow::Result<Command> {
    Ok(Command::new(env::current_exe().context("cannot find this program's own path")?))
}

/// The folder of this program, where cargo puts the gateway and the plugins too.
pub(crate) fn own_folder() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("cannot find this program's own path")?;
    Ok(program.parent().context("this program lies in no folder")?.to_owned())
}

/// Finds a program in these folders, or else on the search path.
pub(crate) fn find(name: &str, folders: &[PathBuf]) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = env::split_paths(AsRef::<OsStr>::as_ref(&path)).collect();
    let mut candidates = folders.iter().chain(&on_path).map(|folder: &PathBuf| folder.join(name));
    candidates.find(|candidate: &PathBuf| is_file(candidate))
}

fn is_file(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_file())
}
