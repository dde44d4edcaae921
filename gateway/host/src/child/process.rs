//! The process itself: how it cuts itself off from where it came from, and how it ends.
#![expect(unsafe_code, reason = "close_range and _exit have no safe wrapper")]

use std::{
    fs::{self, OpenOptions},
    io::{self, stdin},
    os::{
        fd::{AsRawFd, OwnedFd, RawFd},
        unix::net::UnixStream,
    },
};

use rustix::{
    io::fcntl_dupfd_cloexec,
    net::sockopt::socket_peercred,
    process::{DumpableBehavior, Signal, getppid, set_dumpable_behavior, set_parent_process_death_signal},
    stdio::dup2_stdin,
    thread::{set_name, set_no_new_privs},
};

/// The first descriptor after stdin, stdout and stderr.
const FIRST_FREE: RawFd = 3;

/// Ties the process to the gateway's life and drops what it inherited; gives the socket to the gateway.
pub(super) fn lock_down() -> io::Result<UnixStream> {
    die_with_gateway()?;
    let socket = take_socket()?;
    close_all_but(socket.as_raw_fd())?;
    // Before the next line, after which these files of the process belong to root.
    if let Err(error) = go_first_when_memory_ends() {
        super::complain(&error);
    }
    // A crash must not leave a file with secrets and bodies in it.
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    // The kernel names a process after the path that it was started by, which may be `/proc/self/exe`.
    set_name(c"plugin-host")?;
    // No program that this process could start gains rights by it.
    set_no_new_privs(true)?;
    Ok(socket)
}

/// When the machine has no more memory, the kernel ends a plugin before the gateway. A system may forbid to say so.
fn go_first_when_memory_ends() -> io::Result<()> {
    fs::write("/proc/self/oom_score_adj", "1000")
}

/// Has the kernel end this process with the gateway, also when the gateway is killed.
fn die_with_gateway() -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let gateway = socket_peercred(stdin()).map_err(|_| {
        io::Error::other("stdin is no socket: this command is run by the gateway, not by hand")
    })?;
    // The gateway may have died before the line above took effect. It made the socket, so its id is there.
    if getppid() == Some(gateway.pid) { Ok(()) } else { Err(io::Error::other("the gateway is gone")) }
}

/// Moves the socket away from stdin, where a library would look for input.
fn take_socket() -> io::Result<UnixStream> {
    let socket: OwnedFd = fcntl_dupfd_cloexec(stdin(), FIRST_FREE)?;
    dup2_stdin(OpenOptions::new().read(true).open("/dev/null")?)?;
    Ok(UnixStream::from(socket))
}

/// Closes what the gateway, or whoever started it, left open by mistake: no later lock keeps a plugin from using a
/// descriptor that is already there.
fn close_all_but(keep: RawFd) -> io::Result<()> {
    if keep > FIRST_FREE {
        close_range(FIRST_FREE, keep - 1)?;
    }
    close_range(keep + 1, RawFd::MAX)
}

fn close_range(first: RawFd, last: RawFd) -> io::Result<()> {
    // The system call and not libc's function, which C libraries other than glibc lack.
    // SAFETY: no descriptor above the standard three is in use yet, except the one that the caller leaves out.
    match unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Ends the process at once. Nothing runs on the way out: exit handlers of a plugin whose threads still work are a
/// way to crash.
pub(super) fn leave(well: bool) -> ! {
    // SAFETY: ends the process without returning to any code.
    unsafe { libc::_exit(i32::from(!well)) }
}
