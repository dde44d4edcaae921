//! The process that holds one plugin, seen from inside: what `postroom plugin-host` runs.

mod actions;
mod confine;
mod faults;
mod frames;
mod health;
mod mapping;
mod outbox;
mod pool;
mod process;
mod secrets;
mod session;
mod spin;
mod threads;

use std::{
    io::{self, Write},
    process::ExitCode,
};

#[cfg(test)]
pub(crate) use self::frames::Frames;

/// Runs a plugin for the gateway that started this process; the socket to it is the standard input.
///
/// Call this first in `main`, before any thread, runtime or open file: it closes every descriptor that it does not
/// know. Returns only when it cannot begin, as when a person runs it; otherwise the process ends from within.
#[must_use]
pub fn plugin_host_main() -> ExitCode {
    // The order matters, and nothing of the plugin runs before the end of it. What the gateway grants comes with its
    // first frame: the session confines the process further before it opens the library.
    let socket = match process::lock_down() {
        Ok(socket) => socket,
        Err(error) => {
            complain(&error);
            return ExitCode::FAILURE;
        }
    };
    let ended = session::run(&socket);
    if let Err(error) = &ended {
        complain(error);
    }
    process::leave(ended.is_ok())
}

/// The gateway logs what this process prints. There is nobody else to tell if that fails.
fn complain(error: &io::Error) {
    drop(writeln!(io::stderr(), "plugin host: {error}"));
}
