//! `cargo xtask test`: every test of the workspace, with one line at the end that says how many there were.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::{cargo_command, exit_code};

/// Runs `cargo test --workspace` with `arguments` behind it, and shows what it prints as it comes.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let mut cargo = cargo_command(&["test", "--workspace"]);
    let mut cargo = cargo.args(arguments).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = cargo.stdout.take().context("cargo has no output")?;
    let mut stdout = std::io::stdout().lock();
    let mut total = Counts::default();
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what cargo prints")?;
        total.add(&line);
        writeln!(stdout, "{line}").context("cannot print")?;
    }
    let status = cargo.wait().context("cannot wait for cargo")?;
    writeln!(stdout, "{} passed, {} failed", total.passed, total.failed).context("cannot print")?;
    Ok(exit_code(status))
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl Counts {
    /// Adds what a test binary says at its end: "test result: ok. 3 passed; 0 failed; …".
    fn add(&mut self, line: &str) {
        let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for count in counts.split("; ") {
            match count.split_once(' ').map(|(number, what)| (number.parse::<u64>(), what)) {
                Some((Ok(number), "passed")) => self.passed += number,
                Some((Ok(number), "failed")) => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
