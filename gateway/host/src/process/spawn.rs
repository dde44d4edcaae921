//! Starts plugin processes.

use std::{
    env, io,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::Path,
    process::Stdio,
    sync::{Mutex, PoisonError, mpsc},
    thread,
};

use tokio::{
    process::{Child, ChildStderr, ChildStdout, Command},
    runtime::Handle,
    sync::oneshot,
};

/// A process that was just started.
pub(super) struct Spawned {
    pub(super) pid: u32,
    /// Killed when this is dropped.
    pub(super) child: Child,
    /// Does not block.
    pub(super) socket: UnixStream,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// For the memory of plugins that use glibc's: others pass these over.
///
/// Left to itself, it stops giving large blocks back once some of up to 32 MiB were freed, and keeps them for each thread
/// apart: a plugin that works on large bodies by turns on several threads takes several times what it needs.
const MALLOC: [(&str, &str); 2] = [("MALLOC_ARENA_MAX", "4"), ("MALLOC_MMAP_THRESHOLD_", "1048576")];

/// Starts `program plugin-host` with one end of a socket pair as its standard input.
///
/// The socket has no name in the file system: there is nothing to find, to race for or to authenticate. The process
/// inherits no environment, which may hold the secrets of others; what it gets is [`MALLOC`].
pub(super) async fn spawn(program: &Path) -> io::Result<Spawned> {
    let (ours, theirs) = UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    let mut command = Command::new(program);
    if let Some(name) = env::args_os().next() {
        // For people who list processes: the path may be one of the kernel's, which tells them nothing.
        command.arg0(name);
    }
    command
        .arg("plugin-host")
        .env_clear()
        // Git reads /etc/gitconfig before anything else, and libgit2 opens no repository when the sandbox forbids that.
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .envs(MALLOC)
        // A group of its own: Ctrl-C in a terminal goes to a whole group, and the gateway wants to drain its plugins.
        .process_group(0)
        .stdin(OwnedFd::from(theirs))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut child = spawn_on_lasting_thread(command).await?;
    let no_pipe = || io::Error::other("the process has no pipe for its output");
    Ok(Spawned {
        pid: child.id().ok_or_else(|| io::Error::other("the process ended at once"))?,
        stdout: child.stdout.take().ok_or_else(no_pipe)?,
        stderr: child.stderr.take().ok_or_else(no_pipe)?,
        socket: ours,
        child,
    })
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread that starts all processes, once there is one.
static SPAWNER: Mutex<Option<mpsc::Sender<Job>>> = Mutex::new(None);

/// Starts a process from a thread that lives as long as the gateway.
///
/// A plugin process asks the kernel to end it with its parent, and for that the kernel takes the *thread* that started
/// it. On a thread of a runtime's pool, plugins would die whenever that thread is put away.
async fn spawn_on_lasting_thread(mut command: Command) -> io::Result<Child> {
    let runtime = Handle::current();
    let (sender, spawned) = oneshot::channel();
    let job: Job = Box::new(move || {
        let _inside = runtime.enter();
        // If nobody waits any more, the process is dropped, and with it killed.
        drop(sender.send(command.spawn()));
    });
    let gone = || io::Error::other("the thread that starts processes is gone");
    spawner()?.send(job).map_err(|_| gone())?;
    spawned.await.map_err(|_| gone())?
}

fn spawner() -> io::Result<mpsc::Sender<Job>> {
    let mut spawner = SPAWNER.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(spawner) = &*spawner {
        return Ok(spawner.clone());
    }
    let (sender, jobs) = mpsc::channel::<Job>();
    thread::Builder::new()
        .name("spawner".to_owned())
        .spawn(move || jobs.into_iter().for_each(|job| job()))?;
    *spawner = Some(sender.clone());
    Ok(sender)
}
