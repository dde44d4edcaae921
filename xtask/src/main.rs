//! What a cargo command cannot say: `cargo xtask demo`, `cargo xtask test` and others.

mod asan;
mod bench;
mod chaos;
mod clients;
mod collection_schema;
mod compat;
mod document;
mod test;
mod tools;
mod vendor_sdk;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus},
};

use anyhow::{Context as _, bail};

const HELP: &str = "\
cargo xtask demo [--once]    build everything and watch Postman's webhooks go through
cargo xtask test             pass the tests
cargo xtask chaos [--seconds N] [--seed S]
                             let everything go wrong under load, and see that nothing is lost or out of order
cargo xtask bench [--quick] --out FILE
                             measure how fast the release build is, beside its peers
cargo xtask bench plugin [--quick] [--out FILE]
                             measure what a process of its own costs a plugin
cargo xtask asan             the plugin host and plugins in C under the address sanitizer
cargo xtask vendor-sdk       what ITOC360's own SDK for Python sends, beside what the plugin sends
cargo xtask collection-schema
                             what a restore sends to Postman, against Postman's own schema of collections
cargo xtask clients [--only rust,typescript,python,go,java]
                             make a client in each language, and have it tell a story to a live gateway
cargo xtask document [--examples N]
                             the OpenAPI document by linters, and a live gateway by random requests made of it
cargo xtask compat           whether clients of the last release work with today's document
cargo xtask golden           write the files that tests compare with anew";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    match arguments {
        ["demo", rest @ ..] => demo(rest),
        ["test", rest @ ..] => test::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["asan"] => asan::run(),
        ["chaos", rest @ ..] => chaos::run(rest),
        ["document", rest @ ..] => document::run(rest),
        ["compat"] => compat::run(),
        ["clients", rest @ ..] => clients::run(rest),
        ["vendor-sdk", rest @ ..] => vendor_sdk::run(rest),
        ["collection-schema"] => collection_schema::run(),
        ["golden"] => cargo(
            &["test", "--package", "postroom-openapi", "--package", "postroom-abi"],
            &[("POSTROOM_BLESS", "1")],
        ),
        [] | ["help" | "--help" | "-h"] => {
            say(HELP);
            Ok(ExitCode::SUCCESS)
        }
        other => bail!("no task `{}`; the tasks are\n{HELP}", other.join(" ")),
    }
}

/// Builds the gateway and the bundled plugins, then runs the gateway's own demo.
fn demo(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let built = cargo(&["build"], &[])?;
    if built != ExitCode::SUCCESS {
        return Ok(built);
    }
    let program = target_folder()?.join("debug").join("postroom");
    let mut demo = Command::new(&program);
    demo.arg("demo").args(arguments);
    run_command(&mut demo, &program.display().to_string())
}

fn cargo(arguments: &[&str], variables: &[(&str, &str)]) -> anyhow::Result<ExitCode> {
    run_command(cargo_command(arguments).envs(variables.iter().copied()), "cargo")
}

fn cargo_command(arguments: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).current_dir(root());
    cargo
}

fn run_command(command: &mut Command, name: &str) -> anyhow::Result<ExitCode> {
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    Ok(exit_code(status))
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    code.map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Where cargo puts what it builds; this program lies in `<target>/debug`.
fn target_folder() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("cannot find this program's own path")?;
    let folder = program.ancestors().nth(2).context("this program lies in no target folder")?;
    Ok(folder.to_owned())
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[expect(clippy::print_stderr, reason = "the one place where this program speaks")]
fn say(text: &str) {
    eprintln!("{text}");
}
