use std::{
    future::Future,
    path::Path,
    process::Command,
    sync::{Mutex, PoisonError},
};

use postroom_sdk::{
    CreateError, Delivery, Event, Failure, Host, Outcome, Plugin,
    http::{HttpClient, Reach},
    testing::PluginHarness,
};
use serde_json::{Value, json};
use tokio::runtime;

use super::*;
use crate::vault::Mending;

mod killed;
mod local;
mod remote;

pub(super) const NOW: u64 = 1_795_289_807_042;
pub(super) const ID: &str = "c3ec8bf7-9432-45e7-a8b3-ed6fa61470f6";
pub(super) const OTHER: &str = "0b1c8bf7-9432-45e7-a8b3-ed6fa6147000";

/// Hands its host out: the client of these tests is the one that a gateway has.
struct Giver;

/// The host of the instance that was made last; whoever makes one holds [`ONE`].
static GIVEN: Mutex<Option<Host>> = Mutex::new(None);
static ONE: Mutex<()> = Mutex::new(());

impl Plugin for Giver {
    type Config = Value;

    async fn create(host: Host, _: Value) -> Result<Self, CreateError> {
        *GIVEN.lock().unwrap() = Some(host);
        Ok(Self)
    }

    async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        Ok(Outcome::delivered())
    }
}

/// Runs a test with an HTTP client.
pub(super) fn run<F: Future<Output = ()>>(test: impl FnOnce(reqwest::Client) -> F) {
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let harness = PluginHarness::<Giver>::builder().config(json!({})).start().unwrap();
    let host = GIVEN.lock().unwrap().take().unwrap();
    drop(one);
    let client = HttpClient::builder(&host, "backup", "0").reach(Reach::Private).build_reqwest().unwrap();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(client));
    drop(runtime);
    drop(harness.shut_down());
}

/// The vault that these settings make.
pub(super) async fn vault(client: &reqwest::Client, root: &Path, config: Value) -> GitVault {
    let token = config.get("token").map(|_| Secret::new("t0ken"));
    let mut config = config;
    config.as_object_mut().unwrap().remove("token");
    let config: GitConfig = serde_json::from_value(config).unwrap();
    GitVault::open(root.to_owned(), &config, false, Scan::Warn, client.clone(), token).await.unwrap()
}

pub(super) fn body(id: &str, name: &str, request: &str) -> String {
    format!(r#"{{"info":{{"_postman_id":"{id}","name":"{name}"}},"item":[{{"name":"{request}"}}]}}"#)
}

/// The snapshot of minute `minute`, by an event of its own.
pub(super) fn snapshot(minute: u64, id: &str, name: &str, request: &str) -> Snapshot {
    Snapshot {
        bytes: Bytes::from(body(id, name, request)),
        event_id: format!("event-{minute}-{id}"),
        received_unix_ms: NOW + minute * 60_000,
        name: Some(name.to_owned()),
        id: Some(id.to_owned()),
    }
}

pub(super) async fn keep(vault: &GitVault, snapshot: Snapshot) -> Kept {
    let now = snapshot.received_unix_ms + 5_000;
    vault.keep(snapshot, now).await.unwrap()
}

#[track_caller]
pub(super) fn new(kept: Kept) -> Version {
    match kept {
        Kept::New(fresh) => fresh.version,
        other => panic!("{other:?}"),
    }
}

/// The git of this machine, in a folder.
#[track_caller]
pub(super) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for (name, value) in [("NAME", "A Person"), ("EMAIL", "person@example.com")] {
        command.env(format!("GIT_AUTHOR_{name}"), value).env(format!("GIT_COMMITTER_{name}"), value);
    }
    let done = command.arg("-C").arg(folder).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "git {arguments:?}: {said}{}", String::from_utf8_lossy(&done.stderr));
    said.trim_end().to_owned()
}
