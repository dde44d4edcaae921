//! The `postroom` program as a command to run.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The program under test.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    variables: Vec<(&'static str, OsString)>,
}

/// How a command ended, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    /// Takes the path of the executable; a test knows it as `env!("CARGO_BIN_EXE_postroom-under-test")`.
    #[must_use]
    pub fn new(path: &str) -> Self {
        Self { path: PathBuf::from(path), variables: Vec::new() }
    }

    /// The same program, run with these variables in its environment.
    #[must_use]
    pub fn with_variables(mut self, variables: impl IntoIterator<Item = (&'static str, OsString)>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// The folder with the plugins that were built for the tests: cargo puts libraries beside the test executable.
    ///
    /// # Panics
    /// When the running executable has no path.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        let test = std::env::current_exe().expect("a test knows its own path");
        test.parent().expect("an executable lies in a folder").to_owned()
    }

    /// A command that runs the program with these arguments, without the settings of the person who runs the tests.
    #[must_use]
    pub fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        self.prepare(Command::new(&self.path), args)
    }

    /// The same, for a test that fills the disk, which is done by a limit on the size of files: a process that does not
    /// ignore the signal that comes with it would end.
    pub(super) fn command_that_survives_a_full_disk<'a>(
        &self,
        args: impl IntoIterator<Item = &'a str>,
    ) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(&self.path);
        self.prepare(command, args)
    }

    fn prepare<'a>(&self, mut command: Command, args: impl IntoIterator<Item = &'a str>) -> Command {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("POSTROOM_") {
                command.env_remove(name);
            }
        }
        command
            .env_remove("RUST_LOG")
            .env("NO_COLOR", "1")
            .envs(self.variables.iter().cloned())
            .args(args)
            .stdin(Stdio::null());
        command
    }

    /// Runs the program in `folder` until it ends.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn run<'a>(&self, folder: &Path, args: impl IntoIterator<Item = &'a str>) -> Finished {
        let mut command = self.command(args);
        command.current_dir(folder);
        Finished::wait(command).await
    }
}

impl Finished {
    /// Runs `command` until it ends.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn wait(mut command: Command) -> Self {
        let output = tokio::task::spawn_blocking(move || command.output()).await;
        output.expect("starting a program does not panic").expect("the program can be started").into()
    }
}

impl From<Output> for Finished {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program writes UTF-8");
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}
