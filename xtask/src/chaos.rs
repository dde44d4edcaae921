//! `cargo xtask chaos`: the gateway under load while everything goes wrong; see `tests/chaos.rs`.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{ExitCode, Stdio},
};

use anyhow::Context as _;

use crate::{cargo_command, exit_code};

/// Runs the suite with `arguments`, which are `--seconds N` and `--seed S`, and shows what it says as it comes. Its last
/// line, with the counts, comes last here too, behind what cargo has to say.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let mut cargo =
        cargo_command(&["test", "--quiet", "--package", "postroom-tests", "--test", "chaos", "--"]);
    let mut cargo = cargo.args(arguments).stdout(Stdio::piped()).spawn().context("cannot run cargo")?;
    let output = cargo.stdout.take().context("cargo has no output")?;
    let mut stdout = std::io::stdout().lock();
    let mut last: Option<String> = None;
    for line in BufReader::new(output).lines() {
        let line = line.context("cannot read what cargo prints")?;
        if let Some(before) = last.replace(line) {
            writeln!(stdout, "{before}").context("cannot print")?;
        }
    }
    let status = cargo.wait().context("cannot wait for cargo")?;
    if let Some(last) = last {
        writeln!(stdout, "{last}").context("cannot print")?;
    }
    Ok(exit_code(status))
}
