//! How a command ends.

use std::{io, process::ExitCode};

use crate::{
    config::{Faults, LoadError},
    output::{Output, OutputError},
    telemetry::TelemetryError,
};

pub(super) const HELP: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong arguments
  3  the configuration has faults
  4  the server cannot be reached
  5  not found
  6  refused by the server
  7  a plugin failed
  130  interrupted";

/// The exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// Failed in a way that has no code of its own.
    Failed = 1,
    /// Wrong arguments.
    Usage = 2,
    /// The configuration has faults.
    Config = 3,
    /// The server cannot be reached.
    Unreachable = 4,
    /// What was asked for is not there.
    NotFound = 5,
    /// The server refuses: wrong token or too few rights.
    Refused = 6,
    /// A plugin failed.
    PluginFailed = 7,
    /// Somebody interrupted it.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do its work.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: What,
    hint: Option<String>,
}

#[derive(Debug)]
enum What {
    Message(String),
    Faults(Faults),
    /// The output already says it.
    Told,
    Output(OutputError),
}

impl Failure {
    /// A failure with a message: what failed and why, a lowercase fragment.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, what: What::Message(message.into()), hint: None }
    }

    /// A failure that the command's own output tells.
    #[must_use]
    pub const fn told(exit: Exit) -> Self {
        Self { exit, what: What::Told, hint: None }
    }

    /// Adds what the person can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The exit code.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        self.exit
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Self {
        Self { exit: Exit::Failed, what: What::Output(error), hint: None }
    }
}

impl From<Faults> for Failure {
    fn from(faults: Faults) -> Self {
        Self { exit: Exit::Config, what: What::Faults(faults), hint: None }
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Faulty(faults) => faults.into(),
            LoadError::Unreadable { .. } => Self::new(Exit::Config, error.to_string())
                .hint("name the file with --config, or write a first one with `postroom init`"),
        }
    }
}

impl From<TelemetryError> for Failure {
    fn from(error: TelemetryError) -> Self {
        Self::new(Exit::Usage, error.to_string())
    }
}

/// Tells how the command ended; gives the exit code.
pub(super) fn report(ended: Result<(), Failure>, output: &mut Output<'_>) -> Exit {
    let Err(failure) = ended else { return Exit::Done };
    let told = match &failure.what {
        What::Told => Ok(()),
        What::Message(message) => output.error(message),
        What::Faults(faults) => output.say(faults),
        // `postroom … | head` closes the pipe when it has enough.
        What::Output(OutputError(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        What::Output(error) => output.error(error),
    };
    let hinted = failure.hint.as_ref().map_or(Ok(()), |hint| output.say(format_args!("    hint: {hint}")));
    match told.and(hinted) {
        Ok(()) => failure.exit,
        // Standard error is closed: the exit code is all that is left to tell.
        Err(_) => failure.exit,
    }
}
