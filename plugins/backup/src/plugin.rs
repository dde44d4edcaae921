//! The plugin: from events to snapshots, from what became of them to outcomes.

use std::{panic, time::Duration};

use postroom_sdk::{
    Actions, CreateError, Delivery, EmitError, Event, Failure, Host, NewEvent, Outcome, Payload, Plugin,
    Report, kind, postroom_plugin,
    tokio::{self, task::spawn_blocking},
};
use serde_json::{Value, json};

use crate::{
    actions::{self, Held, Uploads},
    chores,
    collection::Diff,
    config::{Config, Kind},
    events,
    restore::Postman,
    retention::Retention,
    storage::{Setup, Storage, StorageError},
    vault::{
        Error, Found, Fresh, GitVault, Kept, Objects, Packing, Settings, Snapshot, Vault, Version,
        body::{self, Coding},
        shelf::Shelf,
    },
};

/// How old a version may be for an event to be made of it once more, after a crash.
const TOLD_MS: u64 = 24 * 60 * 60 * 1000;
/// From here on a delivery asks for more time than one usually has.
const LARGE_BYTES: u64 = 4 * 1024 * 1024;
/// What a slow storage takes in a second.
const BYTES_PER_SECOND: u64 = 256 * 1024;

/// One place for backups.
#[derive(Debug)]
pub struct Backup {
    pub(crate) vault: Vault,
    pub(crate) retention: Option<Retention>,
    pub(crate) place: String,
    pub(crate) uploads: Uploads,
    pub(crate) shown: Held,
    pub(crate) postman: Option<Postman>,
}

#[postroom_plugin(
    id = "backup",
    name = "Collection backup",
    description = "Keeps every version of every collection that Postman backs up",
    kinds = ["collection_backup"],
    concurrency = 4,
    capabilities = [state],
    network = ["*:*"],
    filesystem = [write("{config.root}")],
    emits = ["backup_changed", "backup_damaged", "backup_secrets"],
    config_schema = "config.schema.json",
    actions = "actions.json"
)]
impl Plugin for Backup {
    type Config = Config;

    fn actions() -> Actions<Self> {
        actions::all()
    }

    fn validate(config: &Config, report: &mut Report) {
        config.check(report);
    }

    async fn create(host: Host, config: Config) -> Result<Self, CreateError> {
        let postman = config.postman.as_ref().map(|postman| Postman::new(&host, postman)).transpose()?;
        let (vault, place) = match config.storage {
            Kind::Git => in_git(&host, &config).await?,
            _ => in_files(&host, &config).await?,
        };
        let chores = chores::Chores {
            vault: vault.clone(),
            retention: config.retention.clone(),
            verify_every: config.verify_every,
        };
        // Ends with the instance, whose runtime it is on.
        tokio::spawn(chores.run(host));
        Ok(Self {
            vault,
            retention: config.retention,
            place,
            uploads: Uploads::default(),
            shown: Held::default(),
            postman,
        })
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        if event.kind() != kind::COLLECTION_BACKUP {
            return Ok(Outcome::skipped(format!("{} is no collection backup", event.kind())));
        }
        let Some(snapshot) = snapshot(event).await.map_err(|error| failure(&error))? else {
            return Err(Failure::permanent("no_collection", "the body has no collection that can be read"));
        };
        let bytes = snapshot.bytes.len() as u64;
        if bytes > LARGE_BYTES {
            // Not both in memory at once: who looks at a version can wait for it a little longer.
            self.shown.forget();
            if let Err(error) = delivery.extend(Duration::from_secs(60 + bytes / BYTES_PER_SECOND)) {
                delivery.log().debug(error);
            }
        }
        let now_unix_ms = delivery.host().now_unix_ms();
        let kept = self.vault.keep(snapshot, now_unix_ms).await.map_err(|error| failure(&error))?;
        self.finish(kept, delivery, now_unix_ms).await
    }
}

impl Backup {
    async fn finish(&self, kept: Kept, delivery: &Delivery, now_unix_ms: u64) -> Result<Outcome, Failure> {
        match kept {
            Kept::Gone(id) => {
                Ok(Outcome::skipped(format!("version {id} was kept and has been pruned since")))
            }
            Kept::Unchanged(version) => {
                self.tidy(&version, delivery, now_unix_ms).await;
                let message = format!("unchanged: already kept as {}", version.id);
                Ok(Outcome::delivered().with_message(message).with_record(self.told(&version, true)))
            }
            Kept::Again(version) => {
                if now_unix_ms.saturating_sub(version.received_unix_ms) < TOLD_MS {
                    self.tell_again(&version, delivery).await?;
                }
                let message = format!("unchanged: already kept as {}", version.id);
                Ok(Outcome::delivered().with_message(message).with_record(self.told(&version, true)))
            }
            Kept::New(fresh) => {
                let Fresh { version, before, diff } = *fresh;
                tell(delivery, before.as_ref(), &version, diff.as_ref()).await?;
                self.tidy(&version, delivery, now_unix_ms).await;
                let message = match &version.changes {
                    Some(changes) if !changes.is_empty() => format!("kept as {}: {changes}", version.id),
                    _ => format!("kept as {}", version.id),
                };
                Ok(Outcome::delivered().with_message(message).with_record(self.told(&version, false)))
            }
        }
    }

    /// What an earlier try may not have got to: it is known by its content, so nobody is told twice.
    async fn tell_again(&self, version: &Version, delivery: &Delivery) -> Result<(), Failure> {
        let key = self.key(version);
        let Some(before) = &version.before else {
            return tell(delivery, None, version, None).await;
        };
        let before = match self.vault.version(&key, Some(before)).await {
            Ok(before) => before,
            Err(Error::NoVersion { .. }) => return Ok(()),
            Err(error) => return Err(failure(&error)),
        };
        let diff = match version.changes {
            None => None,
            Some(_) => match self.vault.diff(&key, &before, version).await {
                Ok(diff) => Some(diff),
                Err(Error::Damaged { .. } | Error::NoIdentity | Error::Unreadable(_)) => None,
                Err(error) => return Err(failure(&error)),
            },
        };
        tell(delivery, Some(&before), version, diff.as_ref()).await
    }

    /// What goes wrong here is no matter of the delivery: its version is kept.
    async fn tidy(&self, version: &Version, delivery: &Delivery, now_unix_ms: u64) {
        if let Err(error) = self.vault.tidy(&self.key(version), self.retention.as_ref(), now_unix_ms).await {
            delivery.log().warn(format_args!("the versions could not be tidied up: {}", failure(&error)));
        }
    }

    pub(crate) fn key(&self, version: &Version) -> String {
        crate::vault::names::collection_key(version.name.as_deref(), version.collection.as_deref())
    }

    /// The record of an outcome.
    fn told(&self, version: &Version, unchanged: bool) -> Value {
        json!({
            "collection": self.key(version),
            "version": version.id,
            "file": version.stored.file,
            "copy": self.vault.copy_path(version),
            "bytes": version.bytes,
            "stored_bytes": version.stored.bytes,
            "sha256": version.sha256,
            "canonical": version.canonical,
            "before": version.before,
            "changes": version.changes,
            "secrets": version.secrets.len(),
            "redacted": version.redacted,
            "unchanged": unchanged,
        })
    }
}

/// Tells by events what a new version changed, and which secrets it brought.
async fn tell(
    delivery: &Delivery,
    before: Option<&Version>,
    version: &Version,
    diff: Option<&Diff>,
) -> Result<(), Failure> {
    if let (Some(before), Some(diff)) = (before, diff)
        && !diff.is_empty()
    {
        emit(delivery, events::changed(before, version, diff)).await?;
    }
    let known = before.map(|before| &before.secrets[..]).unwrap_or_default();
    let new: Vec<Found> = version.secrets.iter().filter(|found| !known.contains(found)).cloned().collect();
    if !new.is_empty() {
        emit(delivery, events::secrets(version, &new)).await?;
    }
    Ok(())
}

/// Makes an event. The version is kept, so only what may work later is a reason for another try.
async fn emit(delivery: &Delivery, event: Result<NewEvent, EmitError>) -> Result<(), Failure> {
    let made = match event {
        Ok(event) => delivery.emit(event).await.map(drop),
        Err(error) => Err(error),
    };
    match made {
        Ok(()) | Err(EmitError::NotGranted) => Ok(()),
        Err(error @ (EmitError::Unavailable | EmitError::Over)) => Err(error.into()),
        Err(error) => {
            delivery.log().warn(format_args!("no event was made of the change: {error}"));
            Ok(())
        }
    }
}

/// The collection of an event; `None` when there is none.
async fn snapshot(event: &Event) -> Result<Option<Snapshot>, Error> {
    // A clone shares the body: neither a copy nor the scan of a large collection holds up other deliveries.
    let event = event.clone();
    let read = move || {
        let Payload::CollectionBackup(collection) = event.payload() else { return None };
        Some(Snapshot {
            bytes: event.shared_body().slice_ref(collection.bytes()),
            event_id: event.id().to_owned(),
            received_unix_ms: event.received_unix_ms(),
            name: collection.name().map(str::to_owned),
            id: collection.id().map(str::to_owned),
        })
    };
    match spawn_blocking(read).await {
        Ok(snapshot) => Ok(snapshot),
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            Err(_) => Err(Error::Interrupted),
        },
    }
}

/// How bodies are written and read, with the keys for it.
fn coding(host: &Host, config: &Config) -> Result<Coding, CreateError> {
    let encrypt_to = config.encrypt_to.iter().map(|recipient| body::recipient(recipient));
    let encrypt_to = encrypt_to.collect::<Result<_, _>>();
    let decrypt_with = match &config.decrypt_with {
        Some(secret) => body::identities(&host.secret(secret)?),
        None => Ok(Vec::new()),
    };
    Ok(Coding {
        compress: config.compress,
        encrypt_to: encrypt_to.map_err(|error| CreateError::config(error.to_string()))?,
        decrypt_with: decrypt_with
            .map_err(|error| CreateError::config(format!("`decrypt_with`: {error}")))?,
    })
}

/// The vault of a storage of files; and where it is, for people.
async fn in_files(host: &Host, config: &Config) -> Result<(Vault, String), CreateError> {
    let coding = coding(host, config)?;
    let path = config.template().map_err(|error| CreateError::config(error.to_string()))?;
    let storage = Storage::open(config, &Setup::new(host)?).map_err(|error| create_error(error.into()))?;
    if config.storage == Kind::Folder {
        // A folder that cannot be made is told at the start.
        swept(&storage, host).await.map_err(|error| create_error(error.into()))?;
    } else {
        // A service that is down keeps nobody from starting.
        let (storage, host) = (storage.clone(), host.clone());
        tokio::spawn(async move {
            if let Err(error) = swept(&storage, &host).await {
                host.log().warn(format_args!("unfinished uploads were not looked for: {error}"));
            }
        });
    }
    let settings = Settings {
        coding,
        path,
        store_unchanged: config.store_unchanged,
        scan: config.scan,
        packing: Packing::default(),
    };
    let place = storage.describe();
    Ok((Vault::Objects(Objects::new(Shelf::Storage(storage), settings)), place))
}

/// The vault that is a git repository; and where it is, for people.
async fn in_git(host: &Host, config: &Config) -> Result<(Vault, String), CreateError> {
    let root = config.root.clone().ok_or_else(|| CreateError::config("`root` is missing"))?;
    let git = config.git.clone().unwrap_or_default();
    let token = git.token.as_ref().map(|token| host.secret(token)).transpose()?;
    let client = Setup::new(host)?.client;
    let opened = GitVault::open(root, &git, config.store_unchanged, config.scan, client, token).await;
    let vault = opened.map_err(|error| create_error(error.into()))?;
    let place = vault.describe();
    Ok((Vault::Git(vault), place))
}

/// Removes what interrupted writes left behind.
async fn swept(storage: &Storage, host: &Host) -> Result<(), StorageError> {
    let removed = storage.sweep(host.now_unix_ms()).await?;
    if removed > 0 {
        host.log().info(format_args!("removed {removed} unfinished files of an earlier run"));
    }
    Ok(())
}

fn create_error(failure: Failure) -> CreateError {
    match failure {
        Failure::Misconfigured { message, .. } => CreateError::config(message),
        other => CreateError::unavailable(other.to_string()),
    }
}

pub(crate) fn failure(error: &Error) -> Failure {
    let message = error.to_string();
    match error {
        Error::Storage { source, .. } => {
            let mut failure = Failure::from(source.clone());
            let (Failure::Retry { message: why, .. }
            | Failure::RateLimited { message: why, .. }
            | Failure::Permanent { message: why, .. }
            | Failure::Misconfigured { message: why, .. }) = &mut failure;
            *why = format!("{message}: {why}");
            failure
        }
        Error::NotAsWritten { .. } => Failure::retry("not_as_written", message),
        Error::Unsteady => Failure::retry("unsteady", message),
        Error::Interrupted => Failure::retry("interrupted", message),
        Error::Encode(source) => Failure::retry("encode", format!("{message}: {source}")),
        Error::NoIdentity => Failure::misconfigured("decrypt_with", message),
        Error::Damaged { .. } => Failure::retry("damaged", message),
        Error::NoCollection(_) | Error::NoVersion { .. } => Failure::permanent("not_found", message),
        Error::Unreadable(_) => Failure::permanent("unreadable", message),
        Error::KeepsAll => Failure::permanent("keeps_all", message),
    }
}

#[cfg(test)]
mod tests;
