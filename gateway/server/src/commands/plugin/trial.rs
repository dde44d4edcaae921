//! What an author's plugin is tried with: its file, settings for it, and events.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use postroom_core::{
    chain::Chain,
    classify::{Classification, classify},
    event::Event,
    id::{EventId, SourceName},
    time::Timestamp,
};
use postroom_host::{InspectError, InstanceConfig, PluginFile, Sample};
use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::{
    assemble,
    command::{Exit, Failure},
    commands::send::bodies::{self, Spelling},
    config::{self, Fault, Faults, Overrides, Surroundings, resolve},
    output::plain,
};

/// The destination that the plugin is tried as, and the source of its events.
const NAME: &str = "trial";
/// Where the settings of that destination stand in a configuration.
const DESTINATION: &str = "destination[0]";

/// The plugin and its settings.
#[derive(Debug, clap::Args)]
pub(super) struct Trial {
    /// The plugin's file
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Its settings: a JSON object, or a file with one; {"env": "NAME"} and {"file": "path"} stand for secrets
    #[arg(long, value_name = "JSON")]
    config: Option<String>,
}

impl Trial {
    /// The plugin's file, looked at from outside.
    pub(super) fn inspect(&self) -> Result<Result<PluginFile, InspectError>, Failure> {
        let file = std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone());
        let inspected = postroom_host::inspect(&file);
        match &inspected {
            Err(InspectError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Err(Failure::new(Exit::NotFound, format!("there is no file {}", self.file.display())))
            }
            _ => Ok(inspected),
        }
    }

    /// What a destination with this plugin and these settings would be run with.
    pub(super) fn instance(&self, plugin: &PluginFile) -> Result<InstanceConfig, Failure> {
        let settings = self.settings()?;
        let folder = std::path::absolute(".").unwrap_or_default();
        let resolved = resolved(plugin, settings, &folder)?;
        Ok(assemble::instance_config(&resolved))
    }

    fn settings(&self) -> Result<Map<String, Value>, Failure> {
        let Some(given) = &self.config else { return Ok(Map::new()) };
        let unusable = |why: String| Failure::new(Exit::Config, format!("--config: {why}"));
        let text = if given.trim_start().starts_with('{') {
            given.clone()
        } else {
            fs::read_to_string(given).map_err(|error| {
                unusable(format!("cannot read {given}: {error}")).hint(
                    "write a JSON object, like '{\"url\": \"https://example.com\"}', or the name of a file",
                )
            })?
        };
        serde_json::from_str(&text).map_err(|error| unusable(format!("not a JSON object: {error}")))
    }
}

/// Reads the settings as those of a destination are read, so that secrets, paths and faults are the same.
fn resolved(
    plugin: &PluginFile,
    settings: Map<String, Value>,
    folder: &Path,
) -> Result<resolve::Resolved, Failure> {
    let destination = serde_json::json!({ "name": NAME, "plugin": plugin.manifest.id, "config": settings });
    let document = serde_json::json!({ "destination": [destination] });
    let text = toml::Table::try_from(&document).map(|document| document.to_string()).map_err(|error| {
        Failure::new(Exit::Config, format!("--config: {error}"))
            .hint("settings are TOML in a gateway, which has no null: leave out what is not set")
    })?;
    let file = Path::new("--config");
    let draft = config::parse(&text, file, folder, Overrides::default(), &Surroundings::of_process());
    let faults: Vec<Fault> = draft.faults.into_iter().filter_map(in_settings).collect();
    match draft.config.destinations.first() {
        Some(destination) if faults.is_empty() => {
            Ok(resolve::with_plugin(destination, plugin, &draft.config))
        }
        _ => Err(Faults { file: file.to_owned(), faults }.into()),
    }
}

/// A fault of the settings, by its place in them; others are about what is no part of a trial.
fn in_settings(fault: Fault) -> Option<Fault> {
    let path = fault.path.strip_prefix(DESTINATION)?.trim_start_matches('.').to_owned();
    Some(Fault { path, position: None, ..fault })
}

/// The event that the gateway would make of a body.
pub(super) fn sample(body: Vec<u8>) -> Sample {
    let Classification { kind, subject, ordering_key, verdict, facts, note } = classify(&body, NAME);
    let event = Event {
        id: EventId::new(Uuid::nil()),
        received_at: Timestamp::EPOCH,
        source: SourceName::new(NAME),
        kind,
        subject,
        ordering_key: ordering_key.into(),
        verdict,
        facts,
        note,
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: Some("application/json".to_owned()),
        body_bytes: body.len() as u64,
        hops: 0,
    };
    Sample { event: Arc::new(event), body: Bytes::from(body) }
}

/// Events of every kind, as Postman's webhooks make them.
pub(super) fn samples() -> Vec<Sample> {
    let monitor = "Checkout smoke test";
    [
        bodies::monitor_run(monitor, true, Spelling::Documented, 0),
        bodies::monitor_run(monitor, false, Spelling::Count, 1),
        bodies::collection_backup(0),
        bodies::activity(0),
        bodies::activity(1),
        bodies::activity(2),
        br#"{"hello":"from something that is not Postman"}"#.to_vec(),
    ]
    .into_iter()
    .map(sample)
    .collect()
}

/// Threads for the trial.
pub(super) fn runtime() -> Result<Runtime, Failure> {
    Runtime::new().map_err(|error| Failure::new(Exit::Failed, format!("cannot start threads: {error}")))
}

/// The failure of a file that is no plugin.
pub(super) fn refused(file: &Path, error: &InspectError) -> Failure {
    Failure::new(Exit::PluginFailed, plain(format!("{}: {}", file.display(), Chain(error))))
}

#[cfg(test)]
mod tests;
