//! `cargo xtask chaos [--seconds N] [--seed S]`: the chaos suite for as long as one likes.

use std::{process::ExitCode, time::Duration};

use postroom_tests::{
    chaos::{self, Settings},
    harness::Program,
};

const SECONDS: u64 = 120;

#[tokio::main]
async fn main() -> ExitCode {
    let settings = match settings(std::env::args().skip(1)) {
        Ok(settings) => settings,
        Err(fault) => {
            say(&format!("error: {fault}; use [--seconds N] [--seed S]"));
            return ExitCode::from(2);
        }
    };
    say(&format!("seed {}, {} s", settings.seed, settings.length.as_secs()));
    let program = Program::new(env!("CARGO_BIN_EXE_postroom-under-test"));
    let tally = chaos::run(&program, settings, say).await;
    let (passed, failed) = tally.passed_and_failed();
    say(&format!("{tally}\n{passed} passed, {failed} failed"));
    if tally.succeeded() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn settings(mut arguments: impl Iterator<Item = String>) -> Result<Settings, String> {
    let mut random = [0; 4];
    getrandom::fill(&mut random).map_err(|error| format!("no random seed: {error}"))?;
    let mut settings =
        Settings { seed: u64::from(u32::from_ne_bytes(random)), length: Duration::from_secs(SECONDS) };
    while let Some(name) = arguments.next() {
        let value = arguments.next().ok_or_else(|| format!("{name} needs a number"))?;
        let value = value.parse().map_err(|_| format!("{name} needs a number, not {value}"))?;
        match name.as_str() {
            "--seed" => settings.seed = value,
            "--seconds" => settings.length = Duration::from_secs(value),
            _ => return Err(format!("there is no {name}")),
        }
    }
    Ok(settings)
}

#[expect(clippy::print_stdout, reason = "the one place where this program speaks")]
fn say(line: &str) {
    println!("{line}");
}
