//! `postroom plugin inspect`.

use std::path::{Path, PathBuf};

use postroom_core::chain::Chain;
use postroom_host::{Asks, FolderAsk, PluginFile, discover};
use serde_json::{Value, json};

use super::search_path;
use crate::{
    command::{ConfigFile, Exit, Failure},
    commands::action_table,
    config::nearest,
    output::{Output, plain},
};

/// Flags of `plugin inspect`.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  postroom plugin inspect itoc360
  postroom plugin inspect ./libpostroom_plugin_mine.so --json")]
pub(crate) struct Args {
    /// A plugin's id, or the path of a file
    #[arg(value_name = "ID or FILE")]
    plugin: String,
    #[command(flatten)]
    file: ConfigFile,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, output: &mut Output<'_>) -> Result<(), Failure> {
    let plugin = find(&args.plugin, &args.file)?;
    let manifest = &plugin.manifest;
    if args.json {
        let document = json!({ "path": plugin.path, "size": plugin.size, "manifest": manifest.document });
        return Ok(output.json(&document)?);
    }
    let text = |key: &str| manifest.document.get(key).and_then(Value::as_str).unwrap_or_default();
    let makes: Vec<&str> = manifest.emits.iter().map(|kind| kind.as_str()).collect();
    let measures: Vec<&str> = manifest.metrics.iter().map(|metric| metric.name.as_str()).collect();
    let facts = [
        ("id", manifest.id.as_str()),
        ("name", &manifest.name),
        ("description", text("description")),
        ("version", &manifest.version),
        ("abi", &manifest.abi.to_string()),
        ("kinds", &manifest.kinds.join(", ")),
        ("asks for", &asks(&manifest.asks).join("; ")),
        ("makes", &makes.join(", ")),
        ("measures", &measures.join(", ")),
        ("licence", text("license")),
        ("homepage", text("homepage")),
        ("file", &plugin.path.display().to_string()),
    ];
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("{name:<12} {}", plain(value)))?;
    }
    let settings = manifest.config_schema.as_ref().map(settings).unwrap_or_default();
    if !settings.is_empty() {
        output.line("")?;
    }
    output.table(["SETTING", "TYPE", "DEFAULT", "MEANING"], &settings)?;
    if !manifest.actions.is_empty() {
        output.line("")?;
    }
    Ok(action_table::print(&manifest.document["actions"], output)?)
}

fn find(name: &str, file: &ConfigFile) -> Result<PluginFile, Failure> {
    // An id has no slash and is no file; a file name alone is taken as a file too.
    if name.contains('/') || Path::new(name).is_file() {
        let path = PathBuf::from(name);
        if !path.exists() {
            return Err(Failure::new(Exit::NotFound, format!("there is no file {name}")));
        }
        return postroom_host::inspect(&path)
            .map_err(|error| Failure::new(Exit::PluginFailed, plain(format!("{name}: {}", Chain(&error)))));
    }
    let catalog = discover(&search_path(file)?.path);
    catalog.find(name).cloned().ok_or_else(|| {
        let failure = Failure::new(Exit::NotFound, format!("there is no plugin \"{name}\""));
        match nearest::hint(name, catalog.plugins().map(|plugin| plugin.manifest.id.as_str())) {
            Some(hint) => failure.hint(hint),
            None => failure.hint("no plugin was found; `postroom plugin list` shows where the search looked"),
        }
    })
}

/// What a plugin asks of the system, as a configuration would grant it.
fn asks(asks: &Asks) -> Vec<String> {
    let mut words = vec![asks.network.to_string()];
    let folders = asks.folders.iter();
    words.extend(folders.map(|FolderAsk { place, access, file }| {
        format!("{}{} {place}", access.as_str(), if *file { " the file" } else { "" })
    }));
    words.extend(asks.memory_bytes.map(|bytes| format!("{} MiB of memory", bytes / (1024 * 1024))));
    words.extend(asks.threads.map(|threads| format!("{threads} threads")));
    words
}

/// The settings of a schema, one row each.
fn settings(schema: &Value) -> Vec<[String; 4]> {
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|n| n == name));
    let row = |(name, property): (&String, &Value)| {
        let default = match &property["default"] {
            Value::Null if required(name) => "required".to_owned(),
            Value::Null => String::new(),
            default => default.to_string(),
        };
        let meaning = property["description"].as_str().unwrap_or_default().to_owned();
        [name.clone(), type_of(property), default, meaning]
    };
    schema["properties"].as_object().into_iter().flatten().map(row).collect()
}

fn type_of(property: &Value) -> String {
    if property["writeOnly"] == true {
        return "secret".to_owned();
    }
    if let Some(words) = property["enum"].as_array() {
        return words.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
    }
    match &property["type"] {
        Value::String(name) => name.clone(),
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" | "),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests;
