//! `cargo xtask clients`: a client in each language, made from the document, compiled, and let loose on a live gateway with
//! the story of docs/clients.md. What a language takes and this machine lacks is skipped, and it says so.

mod generated;

use std::{
    ffi::OsString,
    fmt,
    io::Write as _,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    cargo, cargo_command, root, target_folder,
    tools::{self, Trouble},
};

/// The program that starts a gateway and lets a client tell it the story. Of the whole workspace, so that after its tests
/// nothing is built with other features.
const STAGE: [&str; 6] = ["test", "--quiet", "--workspace", "--test", "clients", "--"];

struct Client {
    name: &'static str,
    language: &'static str,
    /// Makes and compiles it; gives the command that tells the story.
    make: fn(&Folders) -> Result<Vec<OsString>, Trouble>,
}

const CLIENTS: [Client; 6] = [
    // Made by its build script, and compiled with the stage.
    Client { name: "rust", language: "rust", make: |_| Ok(vec![]) },
    Client { name: "typescript", language: "typescript", make: generated::openapi_fetch },
    Client { name: "hey-api", language: "typescript", make: generated::hey_api },
    Client { name: "python", language: "python", make: generated::python },
    Client { name: "go", language: "go", make: generated::go },
    Client { name: "java", language: "java", make: generated::java },
];

/// Where everything is.
struct Folders {
    /// For what is made, a folder each.
    clients: PathBuf,
    /// For what is installed.
    tools: PathBuf,
    /// The stories and what generators are given, in the repository.
    ours: PathBuf,
    document: PathBuf,
}

enum Verdict {
    Passed,
    Failed,
    Skipped(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Failed => f.write_str("failed"),
            Self::Skipped(why) => write!(f, "skipped ({why})"),
        }
    }
}

/// Makes and tries the clients that `arguments` choose, or all.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let chosen = chosen(arguments)?;
    let clients = target_folder()?.join("clients");
    let folders = Folders {
        tools: clients.join("tools"),
        clients,
        ours: root().join("openapi/clients"),
        document: root().join("openapi/postroom.json"),
    };
    build_stage()?;
    let mut out = std::io::stdout().lock();
    let mut counts = [0; 3];
    for client in chosen {
        let verdict = match (client.make)(&folders).and_then(|story| Ok(tell(&story)?)) {
            Ok(()) => Verdict::Passed,
            Err(Trouble::Missing(why)) => Verdict::Skipped(why),
            Err(Trouble::Fault(error)) => {
                crate::say(&format!("{}: {error:#}", client.name));
                Verdict::Failed
            }
        };
        writeln!(out, "{} {verdict}", client.name).context("cannot print")?;
        counts[match verdict {
            Verdict::Passed => 0,
            Verdict::Failed => 1,
            Verdict::Skipped(_) => 2,
        }] += 1;
    }
    let [passed, failed, skipped] = counts;
    writeln!(out, "{passed} passed, {failed} failed, {skipped} skipped").context("cannot print")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn chosen(arguments: &[&str]) -> anyhow::Result<Vec<&'static Client>> {
    let wanted: Vec<&str> = match arguments {
        [] => return Ok(CLIENTS.iter().collect()),
        ["--only", languages] => languages.split(',').collect(),
        _ => bail!("only `--only LANGUAGE,…` is understood"),
    };
    let languages = CLIENTS.map(|client| client.language);
    if let Some(unknown) = wanted.iter().find(|wanted| !languages.contains(wanted)) {
        bail!("there is no client in `{unknown}`");
    }
    Ok(CLIENTS.iter().filter(|client| wanted.contains(&client.language)).collect())
}

/// Builds the gateway and what starts it, so that how long that takes is not part of a story.
pub(crate) fn build_stage() -> anyhow::Result<()> {
    let (stage, _) = STAGE.split_at(STAGE.len() - 1);
    if cargo(&[stage, &["--no-run"]].concat(), &[])? != ExitCode::SUCCESS {
        bail!("cannot build the gateway and what starts it");
    }
    Ok(())
}

/// Starts a gateway, and has a program with its arguments tell it the story.
pub(crate) fn tell(story: &[OsString]) -> anyhow::Result<()> {
    let mut stage: Command = cargo_command(&STAGE);
    tools::run(stage.args(story)).context("it does not tell the story")
}

#[cfg(test)]
mod tests;
