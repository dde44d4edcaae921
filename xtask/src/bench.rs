//! `cargo xtask bench`: builds what is measured as it is released, then measures it.

use std::process::{Command, ExitCode};

use crate::{cargo, run_command, target_folder};

/// Passes `arguments` to the bench; `--help` says what they may be.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    const BUILD: [&str; 10] = [
        "build",
        "--release",
        "--package",
        "postroom",
        "--package",
        "postroom-bench",
        "--package",
        "postroom-bench-sink",
        "--package",
        "postroom-plugin-forward",
    ];
    let built = cargo(&BUILD, &[])?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let program = target_folder()?.join("release").join("postroom-bench");
    run_command(Command::new(&program).args(arguments), &program.display().to_string())
}
