//! `postroom plugin list`.

use postroom_core::chain::Chain;
use postroom_host::{PluginFile, discover};
use serde_json::{Value, json};

use super::search_path;
use crate::{
    command::{ConfigFile, Failure},
    output::{Output, plain},
};

/// Flags of `plugin list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  postroom plugin list --json | jq '.plugins[].id'")]
pub(crate) struct Args {
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let folders = search_path(&args.file)?.path;
    let catalog = discover(&folders);
    if args.json {
        let rejected: Vec<Value> = catalog
            .rejected()
            .iter()
            .map(|rejected| json!({ "path": rejected.path, "reason": Chain(&rejected.reason).to_string() }))
            .collect();
        let plugins: Vec<Value> = catalog.plugins().map(as_json).collect();
        output.json(&json!({ "folders": folders, "plugins": plugins, "rejected": rejected }))?;
        return Ok(());
    }
    let rows: Vec<[String; 4]> = catalog
        .plugins()
        .map(|PluginFile { path, manifest, .. }| {
            [
                manifest.id.clone(),
                manifest.version.clone(),
                manifest.kinds.join(", "),
                path.display().to_string(),
            ]
        })
        .collect();
    output.table(["PLUGIN", "VERSION", "KINDS", "FILE"], &rows)?;
    if rows.is_empty() {
        output.say("no plugin was found in")?;
        folders.iter().try_for_each(|folder| output.say(format_args!("  {}", folder.display())))?;
    }
    for rejected in catalog.rejected() {
        let refused = format!("refused {}: {}", rejected.path.display(), Chain(&rejected.reason));
        output.say(plain(refused))?;
    }
    Ok(())
}

fn as_json(plugin: &PluginFile) -> Value {
    let manifest = &plugin.manifest;
    json!({
        "id": manifest.id,
        "name": manifest.name,
        "version": manifest.version,
        "abi": manifest.abi.to_string(),
        "kinds": manifest.kinds,
        "path": plugin.path,
    })
}
