//! The plugin: from events to snapshots, from what became of them to outcomes.

use std::{io, panic};

use postroom_sdk::{
    CreateError, Delivery, Event, Failure, Host, Outcome, Payload, Plugin, Report, kind, postroom_plugin,
    tokio::task::{JoinError, spawn_blocking},
};
use serde_json::json;

use crate::{
    archive::{Archive, Error, Snapshot},
    config::Config,
};

/// One folder of backups.
#[derive(Debug)]
pub struct Backup {
    archive: Archive,
}

#[postroom_plugin(
    id = "backup",
    name = "Collection backup",
    description = "Keeps every version of every collection that Postman backs up, in a folder",
    kinds = ["collection_backup"],
    concurrency = 4,
    filesystem = [write("{config.root}")],
    config_schema = "config.schema.json"
)]
impl Plugin for Backup {
    type Config = Config;

    fn validate(config: &Config, report: &mut Report) {
        config.check(report);
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let now_unix_ms = host.now_unix_ms();
        let opened = spawn_blocking(move || {
            let archive = Archive::open(config.root)?;
            let swept = archive.sweep(now_unix_ms)?;
            Ok((archive, swept))
        });
        let opened = opened.await.unwrap_or_else(|error| Err(interrupted(error)));
        let (archive, (removed, passed_over)) = opened.map_err(|error: Error| create_error(&error))?;
        for error in passed_over {
            host.log().warn(failure(&error));
        }
        if removed > 0 {
            host.log().info(format_args!("removed {removed} unfinished files of an earlier run"));
        }
        Ok(Self { archive })
    }

    async fn deliver(&self, event: &Event, _delivery: &Delivery) -> Result<Outcome, Failure> {
        if event.kind() != kind::COLLECTION_BACKUP {
            return Ok(Outcome::skipped(format!("{} is no collection backup", event.kind())));
        }
        // A clone shares the body: neither a copy nor the scan of a large collection holds up other deliveries.
        let (archive, event) = (self.archive.clone(), event.clone());
        spawn_blocking(move || keep(&archive, &event))
            .await
            .unwrap_or_else(|error| Err(failure(&interrupted(error))))
    }
}

fn keep(archive: &Archive, event: &Event) -> Result<Outcome, Failure> {
    let Payload::CollectionBackup(collection) = event.payload() else {
        return Err(Failure::permanent("no_collection", "the body has no collection that can be read"));
    };
    let snapshot = Snapshot {
        name: collection.name(),
        id: collection.id(),
        bytes: collection.bytes(),
        received_unix_ms: event.received_unix_ms(),
    };
    let kept = archive.keep(snapshot).map_err(|error| failure(&error))?;
    let message = if kept.unchanged { "unchanged: already kept as" } else { "kept as" };
    Ok(Outcome::delivered().with_message(format!("{message} {}", kept.file)).with_record(json!({
        "file": kept.file,
        "bytes": collection.bytes().len(),
        "sha256": kept.sha256,
        "unchanged": kept.unchanged,
    })))
}

/// What a blocking task left when it did not end by itself. A panic goes on to the SDK, which reports it.
fn interrupted(error: JoinError) -> Error {
    match error.try_into_panic() {
        Ok(payload) => panic::resume_unwind(payload),
        Err(_) => Error::Interrupted,
    }
}

fn create_error(error: &Error) -> CreateError {
    match failure(error) {
        Failure::Misconfigured { message, .. } => CreateError::config(message),
        other => CreateError::unavailable(other.to_string()),
    }
}

fn failure(error: &Error) -> Failure {
    match error {
        Error::Root { source, .. } if passes(source) => {
            Failure::retry(code(source), with_cause(error, source))
        }
        Error::Root { source, .. } => Failure::misconfigured(
            "root",
            format!("{}: choose another `root` or give the gateway access to it", with_cause(error, source)),
        ),
        Error::Io { source, .. } => Failure::retry(code(source), with_cause(error, source)),
        Error::Changed { .. } => Failure::permanent("file_changed", error.to_string()),
        Error::Interrupted => Failure::retry("interrupted", error.to_string()),
    }
}

/// Whether a folder that could not be created today may be tomorrow, with the same settings.
fn passes(error: &io::Error) -> bool {
    matches!(code(error), "storage_full") || matches!(error.kind(), io::ErrorKind::Interrupted)
}

fn code(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "storage_full"
        }
        io::ErrorKind::PermissionDenied => "permission_denied",
        io::ErrorKind::ReadOnlyFilesystem => "read_only",
        _ => "io",
    }
}

fn with_cause(error: &Error, source: &io::Error) -> String {
    format!("{error}: {source}")
}

#[cfg(test)]
mod tests;
