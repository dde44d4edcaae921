//! `postroom check`: everything that is wrong with a configuration, at once.

mod report;

use postroom_core::id::DestinationName;
use postroom_host::{Catalog, CheckError, Layers, Program, Sandbox, check_config, discover};

use self::report::Report;
use crate::{
    command::{ConfigFile, Exit, Failure, ServerFlags},
    config::{
        self, Draft, Fault, Surroundings,
        resolve::{self, Resolved},
    },
    output::Output,
};

/// Flags of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Finds the plugins too, and asks each about its settings, in a process of its own.

Examples:
  postroom check --config /etc/postroom/postroom.toml
  postroom check --json | jq '.faults[].message'")]
pub(crate) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
    // Last: its heading would take in what follows.
    #[command(flatten)]
    flags: ServerFlags,
}

pub(crate) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let Draft { config, mut faults, plugins } =
        config::draft(&args.file.config, args.flags.clone().into(), &Surroundings::of_process())?;
    let catalog = discover(&config.plugins.path);
    faults.extend(plugins.iter().filter_map(|plugin| resolve::find(plugin, &config, &catalog).err()));
    let resolved = resolved(&config, &catalog);
    // A plugin that is missing may be the one that makes it.
    if resolved.len() == config.destinations.len() {
        faults.extend(resolve::unmade_kinds(&config, &resolved));
    }
    let answers = ask_plugins(&config, &resolved)?;
    faults.extend(answers.objections);
    let exit = if faults.is_empty() { Exit::PluginFailed } else { Exit::Config };
    faults.extend(answers.silent);
    faults.sort_by_key(|fault| (fault.position.is_none(), fault.position));

    let report = Report { config: &config, faults: &faults, resolved: &resolved, layers: &answers.layers };
    if args.json {
        output.json(&report.as_json())?;
    } else {
        report.print(output)?;
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::told(exit)) }
}

/// The destinations whose plugin is there.
fn resolved(config: &config::Config, catalog: &Catalog) -> Vec<Resolved> {
    config
        .destinations
        .iter()
        .filter_map(|destination| {
            let plugin = resolve::find(&destination.plugin, config, catalog).ok()?;
            Some(resolve::with_plugin(destination, plugin, config))
        })
        .collect()
}

/// What the plugins say about their settings.
#[derive(Debug, Default)]
struct Answers {
    /// What they object to.
    objections: Vec<Fault>,
    /// Those that could not be asked: they crash, hang or do not load.
    silent: Vec<Fault>,
    /// Which layers of a sandbox hold around those that answered.
    layers: Vec<(DestinationName, Layers)>,
}

/// Lets each plugin check its settings, in a process of its own.
fn ask_plugins(config: &config::Config, resolved: &[Resolved]) -> Result<Answers, Failure> {
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot start threads: {error}")))?;
    let mut answers = Answers::default();
    for resolved in resolved {
        match runtime.block_on(ask_plugin(config, resolved)) {
            Ok(layers) => answers.layers.push((resolved.destination.name.clone(), layers)),
            Err(CheckError::Refused { faults }) => {
                let faults = faults.iter().map(|fault| resolved.fault(&fault.path, &fault.message));
                answers.objections.extend(faults);
            }
            Err(error @ CheckError::NotAsked { .. }) => {
                answers.silent.push(resolved.fault("", &error.to_string()));
            }
        }
    }
    Ok(answers)
}

async fn ask_plugin(config: &config::Config, resolved: &Resolved) -> Result<Layers, CheckError> {
    let settings = &resolved.destination.config;
    let sandbox = Sandbox { own: config.own_files(), ..resolved.destination.sandbox.clone() };
    check_config(&Program::ThisProcess, &sandbox, &resolved.plugin, &settings.json, &settings.secrets).await
}
