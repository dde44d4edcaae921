//! `cargo xtask bench`: builds what is measured as it is released, then measures it.

use std::process::{Command, ExitCode};

use crate::{cargo, run_command, target_folder};

/// The gateway with the plugins that it is measured with.
const GATEWAY: &[&str] = &[
    "--package",
    "postroom",
    "--package",
    "postroom-bench",
    "--package",
    "postroom-bench-sink",
    "--package",
    "postroom-plugin-forward",
];
const BENCH: &[&str] = &["--package", "postroom-bench", "--package", "postroom-bench-sink"];
/// By itself: nothing else is to be built with plugins in its own process.
const HOP: &[&str] = &["--package", "postroom-host", "--features", "in-process", "--example", "hop"];

/// Passes `arguments` to the bench; `--help` says what they may be.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let builds: &[&[&str]] = if arguments.first() == Some(&"plugin") { &[BENCH, HOP] } else { &[GATEWAY] };
    for packages in builds {
        let built = cargo(&[&["build", "--release"], *packages].concat(), &[])?;
        if built != ExitCode::SUCCESS {
            return Ok(built);
        }
    }
    let program = target_folder()?.join("release").join("postroom-bench");
    run_command(Command::new(&program).args(arguments), &program.display().to_string())
}
