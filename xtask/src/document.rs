//! `cargo xtask document`: the OpenAPI document by the checks of others, and a live gateway by random requests that are
//! made of it. What cannot be installed is skipped, and it says so.

use std::{
    io::Write as _,
    path::PathBuf,
    process::{Command, ExitCode},
};

use anyhow::{Context as _, bail};

use crate::{
    clients, root, say, target_folder,
    tools::{self, Trouble, run as shown_if_it_fails},
};

/// The linters need it.
const NODE: &str = "process.versions.node.localeCompare('20.19', 'en', { numeric: true }) >= 0";
const PYTHON: &str = "sys.version_info >= (3, 11)";

struct Places {
    /// What is installed.
    tools: PathBuf,
    /// The settings of the checks, in the repository.
    ours: PathBuf,
    document: PathBuf,
    /// How many requests to make of each operation, at least.
    examples: u32,
}

type Check = fn(&Places) -> Result<(), Trouble>;

const CHECKS: [(&str, Check); 4] = [
    ("redocly", redocly),
    ("spectral", spectral),
    ("openapi-spec-validator", validator),
    ("schemathesis", random_requests),
];

/// Runs all checks, and prints a line for each.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<ExitCode> {
    let examples = match arguments {
        [] => 15,
        ["--examples", number] => number.parse().context("--examples takes a number")?,
        _ => bail!("only `--examples NUMBER` is understood"),
    };
    let places = Places {
        tools: target_folder()?.join("document-checks"),
        ours: root().join("openapi/checks"),
        document: root().join("openapi/postroom.json"),
        examples,
    };
    let mut out = std::io::stdout().lock();
    let mut is_good = true;
    for (name, check) in CHECKS {
        let verdict = match check(&places) {
            Ok(()) => "passed".to_owned(),
            Err(Trouble::Missing(why)) => format!("skipped ({why})"),
            Err(Trouble::Fault(error)) => {
                say(&format!("{name}: {error:#}"));
                is_good = false;
                "failed".to_owned()
            }
        };
        writeln!(out, "{name} {verdict}").context("cannot print")?;
    }
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn node_program(places: &Places, name: &str) -> Result<Command, Trouble> {
    let folder = places.tools.join("npm");
    tools::npm(&folder, &places.ours.join("npm"), NODE)?;
    Ok(Command::new(folder.join("node_modules/.bin").join(name)))
}

fn python_programs(places: &Places) -> Result<PathBuf, Trouble> {
    tools::python(&places.tools.join("python"), &places.ours.join("python.txt"), PYTHON)
}

fn redocly(places: &Places) -> Result<(), Trouble> {
    let mut lint = node_program(places, "redocly")?;
    lint.arg("lint").arg("--config").arg(places.ours.join("redocly.yaml")).arg(&places.document);
    // It would ask the registry for a newer one of itself, and send word home of what it did.
    lint.env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true").env("REDOCLY_TELEMETRY", "off");
    Ok(shown_if_it_fails(&mut lint)?)
}

fn spectral(places: &Places) -> Result<(), Trouble> {
    let mut lint = node_program(places, "spectral")?;
    lint.args(["lint", "--quiet", "--fail-severity", "hint", "--ruleset"]);
    Ok(shown_if_it_fails(lint.arg(places.ours.join("spectral.yaml")).arg(&places.document))?)
}

fn validator(places: &Places) -> Result<(), Trouble> {
    let mut validate = Command::new(python_programs(places)?.join("openapi-spec-validator"));
    Ok(shown_if_it_fails(validate.arg(&places.document))?)
}

fn random_requests(places: &Places) -> Result<(), Trouble> {
    let python = python_programs(places)?.join("python");
    clients::build_stage()?;
    let program = places.ours.join("random_requests.py");
    let examples = places.examples.to_string();
    Ok(clients::tell(&[
        "env".into(),
        format!("POSTROOM_EXAMPLES={examples}").into(),
        python.into(),
        program.into(),
    ])?)
}
