//! How fast Postroom is, measured from outside: `cargo xtask bench`.
//!
//! The release binary runs as its users run it, over real sockets and on a real disk. What is compared is measured in
//! turns within one run, because a machine is not the same for two minutes. What sends and what receives runs in
//! processes of its own, which are this program again.

use std::{
    io::Write as _,
    net::{SocketAddr, TcpListener},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

mod answer;
mod bodies;
mod disk;
mod figures;
mod gateway;
mod gauge;
mod hop;
mod http;
mod load;
mod measure;
mod noop;
mod plan;
mod poll;
mod process;
mod readers;
mod report;
mod sink;

/// Measures the gateway, prints a table and writes the figures as JSON.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    part: Option<Part>,
    #[command(flatten)]
    run: plan::Args,
}

/// What is measured by itself, and what the bench starts beside itself.
#[derive(Debug, Subcommand)]
enum Part {
    /// Measures the way to a plugin and back, with a process of its own and without.
    Plugin(hop::Args),
    /// Sends, and prints what came back as JSON.
    #[command(hide = true)]
    Load(load::Load),
    /// Reads the stream, and prints what came as JSON.
    #[command(hide = true)]
    Read(readers::Readers),
    /// Serves the HTTP contract without a gateway behind it.
    #[command(hide = true)]
    Noop,
    /// Answers 202 to everything.
    #[command(hide = true)]
    Sink {
        #[arg(long)]
        threads: usize,
    },
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> anyhow::Result<()> {
    match cli.part {
        Some(Part::Plugin(args)) => hop::run(&args),
        Some(Part::Load(load)) => say(&serde_json::to_string(&load::run(&load)?)?),
        Some(Part::Read(args)) => readers::run(&args),
        Some(Part::Noop) => noop::serve(&listener()?),
        Some(Part::Sink { threads }) => Ok(sink::serve(&listener()?, threads)?),
        None => measure::run(&cli.run),
    }
}

/// A free port, which is told to whoever started this part.
fn listener() -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).context("cannot listen")?;
    say(&listener.local_addr()?.to_string())?;
    Ok(listener)
}

/// Prints a line of what was asked for.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("cannot print")
}

/// Tells who watches what goes on.
#[expect(clippy::print_stderr, reason = "the one place where this program speaks of itself")]
fn note(line: &str) {
    eprintln!("{line}");
}
