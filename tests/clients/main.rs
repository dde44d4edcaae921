//! `cargo xtask clients`: a program, given with its arguments, tells the story of docs/clients.md to a gateway of its own.
//! Without any it is the one in Rust.

use std::{
    ffi::{OsStr, OsString},
    process::ExitCode,
};

use postroom_tests::{harness::Program, stories::Stage};

const IN_RUST: &str = env!("CARGO_BIN_EXE_story-in-rust");

#[tokio::main]
async fn main() -> ExitCode {
    let given: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut words = given.iter().map(OsString::as_os_str);
    let program = words.next().unwrap_or(OsStr::new(IN_RUST));
    let arguments: Vec<&OsStr> = words.collect();
    let stage = Stage::start(&Program::new(env!("CARGO_BIN_EXE_postroom-under-test"))).await;
    match stage.tell(program, &arguments).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            say(&fault);
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "the one place where this program speaks")]
fn say(line: &str) {
    eprintln!("{line}");
}
