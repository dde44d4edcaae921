//! Puts a version back into Postman, through its API. Knows nothing of where versions are kept.
//!
//! `body` makes what Postman takes out of any version, `exchange` sends it and waits where Postman says so, `api` has a
//! function for each call, `compare` tells what would change.

mod api;
mod body;
mod compare;
mod error;
mod exchange;
mod limits;

use std::{fmt, time::Duration};

use postroom_sdk::{
    Bytes, CreateError, Host, Secret, SecretError, SecretRef,
    http::HttpClient,
    tokio::{
        sync::Mutex,
        task::spawn_blocking,
        time::{Instant, sleep, timeout_at},
    },
};

pub(crate) use self::error::Error;
use self::{
    api::{Api, Replaced, TaskState},
    body::{Ids, Prepared},
    exchange::{Exchange, REACH, Transport},
};
use crate::{
    collection::{self, Diff, Summary},
    config,
};

/// Of the time of an action, what is left for telling how it ended.
const MARGIN: Duration = Duration::from_secs(1);
/// When an answer was lost, Postman may still be at work: how long to wait before each look at what came of it.
const LOOKS: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(9)];
/// How often a collection is sent to be made.
const CREATES_MAX: usize = 3;
/// Between two questions after a task.
const POLL_MIN: Duration = Duration::from_secs(1);
const POLL_MAX: Duration = Duration::from_secs(10);

/// What becomes of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A collection more.
    New { workspace: Option<String>, name: Option<String> },
    /// This collection is replaced, or the one that the version is of.
    Over { collection: Option<String>, name: Option<String> },
}

/// What belongs to one restore.
pub(crate) struct Session {
    key: Secret,
    until: Instant,
}

/// What a restore came to.
#[derive(Debug)]
pub(crate) struct Restored {
    /// False when Postman was still at work.
    pub(crate) is_done: bool,
    pub(crate) uid: Option<String>,
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) keeps_ids: bool,
    pub(crate) task: Option<String>,
    pub(crate) notes: Vec<String>,
}

/// What a restore would come to.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// The collection that would be replaced.
    pub(crate) uid: Option<String>,
    pub(crate) name: String,
    pub(crate) bytes: u64,
    pub(crate) keeps_ids: bool,
    pub(crate) notes: Vec<String>,
    /// From what is in Postman to the version; absent when the collection is not there.
    pub(crate) difference: Option<Diff>,
}

/// Postman, as the settings say where it is.
#[derive(Debug)]
pub(crate) struct Postman {
    api: Api,
    api_key: SecretRef,
    workspace: Option<String>,
    owner: Option<String>,
    /// A collection may be large, so one is restored after the other.
    turn: Mutex<()>,
}

/// The collection in Postman that is meant.
struct Meant {
    uid: String,
    /// The owner was not said by whoever asked, so Postman may know better.
    is_guess: bool,
}

impl Session {
    pub(crate) fn new(key: Secret, time_left: Duration) -> Self {
        Self { key, until: Instant::now() + time_left.saturating_sub(MARGIN) }
    }

    fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Waits, if there is the time for it.
    async fn pause(&self, pause: Duration) -> bool {
        let is_time = pause < self.left();
        if is_time {
            sleep(pause).await;
        }
        is_time
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("until", &self.until).finish_non_exhaustive()
    }
}

impl Postman {
    pub(crate) fn new(host: &Host, settings: &config::Postman) -> Result<Self, CreateError> {
        let client =
            HttpClient::builder(host, "backup", env!("CARGO_PKG_VERSION")).reach(REACH).build_reqwest()?;
        let clock = host.clone();
        let exchange =
            Exchange::new(&settings.base_url, Transport::Network(client), move || clock.now_unix_ms());
        let exchange = exchange.map_err(CreateError::config)?;
        Ok(Self::with(exchange, settings))
    }

    fn with(exchange: Exchange, settings: &config::Postman) -> Self {
        Self {
            api: Api::new(exchange),
            api_key: settings.api_key.clone(),
            workspace: settings.workspace.clone(),
            owner: settings.owner.clone(),
            turn: Mutex::default(),
        }
    }

    /// The key as it is now.
    pub(crate) fn key(&self, host: &Host) -> Result<Secret, SecretError> {
        host.secret(&self.api_key)
    }

    /// Restores the version that these bytes are.
    pub(crate) async fn restore(
        &self,
        session: &Session,
        version: Bytes,
        target: &Target,
    ) -> Result<Restored, Error> {
        let turn = timeout_at(session.until, self.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::OutOfTime { doing: "another restore is at work" })?;
        match target {
            Target::New { workspace, name } => {
                let prepared = prepare(version, Ids::Remove, name.clone()).await?;
                let workspace = self.workspace(workspace.as_deref())?;
                self.create(session, prepared, workspace).await
            }
            Target::Over { collection, name } => {
                let (version, summary) = summary(version).await?;
                let meant = self.meant(session, collection.as_deref(), &summary).await?;
                let ids = Ids::for_target(&meant.uid, &summary);
                let prepared = prepare(version, ids, name.clone()).await?;
                self.replace(session, prepared, meant).await
            }
        }
    }

    /// Tells what [`restore`](Self::restore) would do, and writes nothing.
    pub(crate) async fn rehearse(
        &self,
        session: &Session,
        version: Bytes,
        target: &Target,
    ) -> Result<Rehearsed, Error> {
        let turn = timeout_at(session.until, self.turn.lock()).await;
        let _turn = turn.map_err(|_| Error::OutOfTime { doing: "another restore is at work" })?;
        let (version, summary) = summary(version).await?;
        let (wanted, name, is_over) = match target {
            Target::New { workspace, name } => {
                self.workspace(workspace.as_deref())?;
                (None, name, false)
            }
            Target::Over { collection, name } => (collection.as_deref(), name, true),
        };
        let present = match self.meant(session, wanted, &summary).await {
            Ok(meant) => self.present(session, meant).await,
            Err(error) => Err(error),
        };
        let mut notes = Vec::new();
        let present = match present {
            Ok(present) => Some(present),
            Err(Error::NotThere { .. } | Error::NoId) if !is_over => {
                notes
                    .push("the collection is not in Postman, so there is nothing to compare with".to_owned());
                None
            }
            Err(error) => return Err(error),
        };
        let (uid, present) = present.unzip();
        let ids = match &uid {
            Some(uid) if is_over => Ids::for_target(uid, &summary),
            _ => Ids::Remove,
        };
        let prepared = prepare(version, ids, name.clone()).await?;
        prepared.note(&mut notes);
        let (name, bytes, keeps_ids) = (prepared.name, prepared.json.len() as u64, prepared.keeps_ids);
        let difference = match present {
            Some(present) => {
                let compared = spawn_blocking(move || compare::compare(&present, &prepared.json)).await;
                Some(compared.map_err(|_| Error::Interrupted)??)
            }
            None => None,
        };
        Ok(Rehearsed { uid: uid.filter(|_| is_over), name, bytes, keeps_ids, notes, difference })
    }

    async fn create(
        &self,
        session: &Session,
        prepared: Prepared,
        workspace: Option<&str>,
    ) -> Result<Restored, Error> {
        let mut notes = Vec::new();
        prepared.note(&mut notes);
        let Prepared { json, name, .. } = prepared;
        let bytes = json.len() as u64;
        let known = self.api.named(session, &name, workspace).await?;
        let mut lost = None;
        for _ in 0..CREATES_MAX {
            let made = match self.api.create(session, json.clone(), workspace).await {
                Ok(uid) => uid,
                Err(Error::MayBeThere { why, .. }) => {
                    let Some(uid) = self.look(session, &name, workspace, &known, &why).await? else {
                        lost = Some(why);
                        continue;
                    };
                    notes.push(format!("Postman's answer was lost ({why}), but the collection is there"));
                    Some(uid)
                }
                Err(error) => return Err(error),
            };
            if made.is_none() {
                notes.push("Postman did not tell the id of the new collection".to_owned());
            }
            return Ok(Restored {
                is_done: true,
                uid: made,
                name,
                bytes,
                keeps_ids: false,
                task: None,
                notes,
            });
        }
        Err(Error::MayBeThere { name, why: lost.unwrap_or_default() })
    }

    /// The collection that was made although nothing came back; `None` when there is none.
    async fn look(
        &self,
        session: &Session,
        name: &str,
        workspace: Option<&str>,
        known: &[String],
        why: &str,
    ) -> Result<Option<String>, Error> {
        let may_be_there = || Error::MayBeThere { name: name.to_owned(), why: why.to_owned() };
        for pause in LOOKS {
            if !session.pause(pause).await {
                return Err(may_be_there());
            }
            let now = self.api.named(session, name, workspace).await.map_err(|_| may_be_there())?;
            let mut new = now.into_iter().filter(|uid| !known.contains(uid));
            match (new.next(), new.next()) {
                (Some(uid), None) => return Ok(Some(uid)),
                // Somebody else has made one of this name too.
                (Some(_), Some(_)) => return Err(may_be_there()),
                (None, _) => {}
            }
        }
        Ok(None)
    }

    async fn replace(&self, session: &Session, prepared: Prepared, meant: Meant) -> Result<Restored, Error> {
        let mut notes = Vec::new();
        prepared.note(&mut notes);
        let Prepared { json, name, keeps_ids, .. } = prepared;
        let bytes = json.len() as u64;
        let mut uid = meant.uid;
        let replaced = match self.api.replace(session, &uid, json.clone()).await {
            Err(Error::NotThere { .. }) if meant.is_guess => {
                uid = self.listed(session, tail(&uid), &uid).await?;
                self.api.replace(session, &uid, json).await?
            }
            replaced => replaced?,
        };
        let (is_done, task) = match replaced {
            Replaced::Done => (true, None),
            Replaced::Task(task) => (self.wait_for(session, &task, &mut notes).await?, Some(task)),
            Replaced::TaskUnknown => {
                notes.push("Postman replaces it in the background and did not say as which task".to_owned());
                (false, None)
            }
        };
        Ok(Restored { is_done, uid: Some(uid), name, bytes, keeps_ids, task, notes })
    }

    /// Whether the task came to its good end before the time was up.
    async fn wait_for(&self, session: &Session, task: &str, notes: &mut Vec<String>) -> Result<bool, Error> {
        let mut pause = POLL_MIN;
        loop {
            if !session.pause(pause).await {
                notes.push(format!("the time was up before Postman was done: its task is {task}"));
                return Ok(false);
            }
            pause = (pause * 2).min(POLL_MAX);
            match self.api.task(session, task).await {
                Ok(TaskState::Done) => return Ok(true),
                Ok(TaskState::Running) => {}
                Ok(TaskState::Failed(why)) => return Err(Error::TaskFailed { task: task.to_owned(), why }),
                // Postman has the collection: how far it is with it is the only thing that is not known.
                Err(error) => {
                    notes.push(format!(
                        "Postman has it, and does not tell how far its task {task} is: {error}"
                    ));
                    return Ok(false);
                }
            }
        }
    }

    /// The collection in Postman that is to be replaced, or compared with.
    async fn meant(
        &self,
        session: &Session,
        wanted: Option<&str>,
        version: &Summary,
    ) -> Result<Meant, Error> {
        let (owner, id) = match wanted {
            Some(wanted) if !is_plain_id(wanted) => return Err(Error::NotThere { uid: wanted.to_owned() }),
            Some(wanted) => split(wanted),
            None => (None, version.id.as_deref().filter(|id| is_plain_id(id)).ok_or(Error::NoId)?),
        };
        if let Some(owner) = owner {
            return Ok(Meant { uid: format!("{owner}-{id}"), is_guess: false });
        }
        let of_version = version.owner.as_deref().filter(|_| version.id.as_deref() == Some(id));
        match self.owner.as_deref().or(of_version) {
            Some(owner) => Ok(Meant { uid: format!("{owner}-{id}"), is_guess: true }),
            None => Ok(Meant { uid: self.listed(session, id, id).await?, is_guess: false }),
        }
    }

    /// The id with its owner, as Postman lists it.
    async fn listed(&self, session: &Session, id: &str, asked: &str) -> Result<String, Error> {
        let found = self.api.find(session, id).await?;
        found.filter(|uid| uid != asked).ok_or_else(|| Error::NotThere { uid: asked.to_owned() })
    }

    /// The collection as it is in Postman.
    async fn present(&self, session: &Session, meant: Meant) -> Result<(String, Bytes), Error> {
        match self.api.get(session, &meant.uid).await {
            Err(Error::NotThere { .. }) if meant.is_guess => {
                let uid = self.listed(session, tail(&meant.uid), &meant.uid).await?;
                let body = self.api.get(session, &uid).await?;
                Ok((uid, body))
            }
            body => Ok((meant.uid, body?)),
        }
    }

    fn workspace<'a>(&'a self, asked: Option<&'a str>) -> Result<Option<&'a str>, Error> {
        match asked.or(self.workspace.as_deref()) {
            Some(workspace) if !is_plain_id(workspace) => {
                Err(Error::NoWorkspace { workspace: workspace.to_owned() })
            }
            workspace => Ok(workspace),
        }
    }
}

/// Whether a text is like the ids that Postman gives: nothing else becomes part of an address.
pub(crate) fn is_plain_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=100).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The owner and the id behind it. A UUID may begin with digits too, so the owner is what stands before 36 characters.
fn split(uid: &str) -> (Option<&str>, &str) {
    match uid.split_once('-') {
        Some((owner, id))
            if (id.len() == 36 || !id.contains('-'))
                && !owner.is_empty()
                && owner.bytes().all(|b| b.is_ascii_digit()) =>
        {
            (Some(owner), id)
        }
        _ => (None, uid),
    }
}

fn tail(uid: &str) -> &str {
    split(uid).1
}

async fn prepare(version: Bytes, ids: Ids, name: Option<String>) -> Result<Prepared, Error> {
    let prepared = spawn_blocking(move || body::prepare(version, ids, name)).await;
    prepared.map_err(|_| Error::Interrupted)?
}

async fn summary(version: Bytes) -> Result<(Bytes, Summary), Error> {
    let scanned = spawn_blocking(move || (collection::scan(&version), version)).await;
    let (scanned, version) = scanned.map_err(|_| Error::Interrupted)?;
    Ok((version, scanned?.summary))
}

#[cfg(test)]
mod tests;
