//! `postroom plugin conformance`.

mod junit;

use std::time::Duration;

use postroom_core::chain::Chain;
use postroom_host::{Finding, InstanceConfig, PluginFile, Subject, conformance};
use serde_json::{Value, json};

use super::trial::{self, Trial};
use crate::{
    command::{Exit, Failure},
    output::{Output, OutputError, plain},
};

/// Flags of `plugin conformance`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each check has a process of its own, so a crash is one failed check. Give settings that the plugin works with: where
another program is to be reached, one that is there. It gets more than 5,500 real deliveries, so take one that is there
for tests. A check with the mark LOOK holds, and is worth a look. Exit code 0 when every check holds, 7 otherwise.

Examples:
  postroom plugin conformance ./libpostroom_plugin_mine.so
  postroom plugin conformance ./libpostroom_plugin_mine.so --config '{\"url\": \"http://127.0.0.1:9000\"}' --json
  postroom plugin conformance ./libpostroom_plugin_mine.so --junit > conformance.xml")]
pub(crate) struct Args {
    #[command(flatten)]
    trial: Trial,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print JUnit XML, for build servers
    #[arg(long, conflicts_with = "json")]
    junit: bool,
}

/// For an author whose good events were not delivered.
const STUCK: &str = "\nLOOK: good events did not get through, so the checks say little about the plugin. Is the other program \
    there? Are the settings right? Does the manifest ask for the port and the folders (`postroom plugin inspect`)?";

/// All findings about one file.
#[derive(Debug)]
struct Report {
    /// None when the file is no plugin.
    plugin: Option<PluginFile>,
    findings: Vec<Finding>,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    // People are told while it goes on, programs at the end.
    let live = !args.json && !args.junit;
    let report = match args.trial.inspect()? {
        Ok(plugin) => {
            let instance = args.trial.instance(&plugin)?;
            Report { plugin: Some(plugin), findings: check(instance, live.then_some(&mut *output))? }
        }
        Err(error) => {
            let finding = Finding::of_refused_file(Chain(&error).to_string());
            if live {
                tell(&finding, output)?;
            }
            Report { plugin: None, findings: vec![finding] }
        }
    };
    if args.json {
        output.json(&report.as_json())?;
    } else if args.junit {
        output.line(junit::document(report.id(), &report.findings))?;
    } else {
        let (holding, all) =
            (report.findings.iter().filter(|finding| finding.holds).count(), report.findings.len());
        output.line(format_args!("\n{holding} of {all} checks hold"))?;
        if report.findings.iter().any(|finding| finding.doubtful) {
            output.say(STUCK)?;
        }
    }
    if report.holds() { Ok(()) } else { Err(Failure::told(Exit::PluginFailed)) }
}

/// Makes all checks; tells each finding as soon as it is there, if anybody is to be told.
fn check(instance: InstanceConfig, mut told: Option<&mut Output<'_>>) -> Result<Vec<Finding>, Failure> {
    let subject = Subject { instance, samples: trial::samples() };
    let mut findings = Vec::new();
    let mut printed: Result<(), OutputError> = Ok(());
    trial::runtime()?.block_on(conformance(&subject, |finding| {
        if let (Some(output), Ok(())) = (told.as_deref_mut(), &printed) {
            printed = tell(&finding, output);
        }
        findings.push(finding);
    }));
    printed?;
    Ok(findings)
}

fn tell(finding: &Finding, output: &mut Output<'_>) -> Result<(), OutputError> {
    let Finding { check, reason, .. } = finding;
    let mark = match (finding.holds, finding.doubtful) {
        (true, false) => "holds",
        (true, true) => "LOOK ",
        (false, _) => "FAILS",
    };
    let width = Finding::CHECK_WIDTH;
    // The reason may be the plugin's words: an escape sequence in them must not reach the terminal.
    output.line(format_args!("{mark}  {check:width$}  {}", plain(reason)))
}

impl Report {
    fn holds(&self) -> bool {
        self.findings.iter().all(|finding| finding.holds)
    }

    fn id(&self) -> &str {
        self.plugin.as_ref().map_or("", |plugin| &plugin.manifest.id)
    }

    fn as_json(&self) -> Value {
        let plugin = self.plugin.as_ref().map(|PluginFile { path, manifest, .. }| {
            json!({ "id": manifest.id, "version": manifest.version, "abi": manifest.abi.to_string(), "path": path })
        });
        let checks = self.findings.iter().map(|Finding { check, holds, doubtful, reason, took }| {
            let took_ms = in_ms(*took);
            json!({ "name": check, "holds": holds, "doubtful": doubtful, "reason": reason, "took_ms": took_ms })
        });
        json!({ "plugin": plugin, "holds": self.holds(), "checks": checks.collect::<Vec<_>>() })
    }
}

fn in_ms(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
