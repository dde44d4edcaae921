//! Real Postman data through the whole gateway.
//!
//! `POSTROOM_CORPUS` names a folder with `events/*.json` and `collections/*.json`. Without it the small bodies in
//! `data/` are played, which have the same odd spots: a byte order mark, Unicode, the oldest collection format.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
};

use postroom_tests::{
    doubles::{Double, Itoc360, Provider, Receiver},
    harness::{Config, TestGateway},
};
use serde_json::value::RawValue;

use crate::{backup::files, support::start};

const TOKEN: &str = "itoc360-source-token";
const CORPUS: &str = "POSTROOM_CORPUS";

#[tokio::test]
async fn everything_is_accepted_and_delivered_byte_for_byte() {
    let corpus =
        env::var_os(CORPUS).map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("data"), PathBuf::from);
    let itoc360 = Double::start(Itoc360::new(TOKEN, Provider::PostmanMonitors));
    let archive = Double::start(Receiver);
    let gateway = start(config(&itoc360, &archive)).await;

    let events = read(&corpus.join("events"));
    let collections = read(&corpus.join("collections"));
    let bodies: Vec<Body> = events
        .into_iter()
        .map(Body::event)
        .chain(collections.iter().map(|file| Body::wrapping(file)))
        .chain(collections.iter().filter_map(|file| Body::wrapped_already(file)))
        .collect();
    let mut runs = Vec::new();
    for body in &bodies {
        if post(&gateway, body).await == "monitor_run" {
            runs.push(&body.bytes[..]);
        }
    }
    gateway.settled().await;

    let all = gateway.list("/api/v1/deliveries").await;
    let undelivered: Vec<_> = all.iter().filter(|delivery| delivery["state"] != "delivered").collect();
    assert!(undelivered.is_empty(), "{undelivered:#?}");

    let archived: BTreeSet<Vec<u8>> = archive.taken().iter().map(|request| request.body.to_vec()).collect();
    let sent: BTreeSet<Vec<u8>> = bodies.iter().map(|body| body.bytes.clone()).collect();
    assert!(archived == sent, "the archive has other bodies than were sent");

    let incidents = itoc360.taken();
    assert_eq!(incidents.len(), runs.len());
    for incident in &incidents {
        assert_eq!(incident.header("authorization"), format!("Bearer {TOKEN}"));
        assert!(runs.contains(&&incident.body[..]), "not the bytes that were sent: {incident:?}");
    }

    let copies = files(&gateway.folder().join("copies"));
    let objects =
        copies.iter().filter(|file| file.parent().is_some_and(|folder| folder.ends_with("objects")));
    let copies: Vec<Vec<u8>> = objects.map(|file| fs::read(file).unwrap()).collect();
    let backups: BTreeSet<Vec<u8>> = bodies.into_iter().filter_map(|body| body.collection).collect();
    assert_eq!(copies.len(), backups.len(), "each collection is written once");
    assert!(backups == copies.into_iter().collect(), "a file is not what was sent");
}

/// A body to send, and the collection that must become a file.
struct Body {
    bytes: Vec<u8>,
    collection: Option<Vec<u8>>,
}

impl Body {
    fn event(bytes: Vec<u8>) -> Self {
        Self { bytes, collection: None }
    }

    /// What Postman would send for a collection: its exact bytes as the value of `collection`. Blanks around a value
    /// are no part of it.
    fn wrapping(file: &[u8]) -> Self {
        let bytes = [b"{\"collection\":", file, b"}"].concat();
        Self { bytes, collection: Some(file.trim_ascii().to_owned()) }
    }

    /// A file that is a webhook's body as it stands.
    fn wrapped_already(file: &[u8]) -> Option<Self> {
        let body: BTreeMap<&str, &RawValue> = serde_json::from_slice(file).ok()?;
        let collection = body.get("collection")?.get();
        Some(Self { bytes: file.to_owned(), collection: Some(collection.as_bytes().to_owned()) })
    }
}

fn config(itoc360: &Double, archive: &Double) -> Config {
    let settings = format!("config = {{ base_url = \"{}\", token = \"{TOKEN}\" }}", itoc360.url(""));
    // Each body as it is, also of those in the corpus that differ in generated ids alone.
    let every = "config = { root = \"copies\", compress = false, store_unchanged = true, path = \"\" }";
    Config::new()
        .destination("itoc360", "itoc360", &settings)
        .destination("backups", "backup", every)
        .forward("archive", &archive.url("/"), "")
        .route("monitor runs", "kinds = [\"monitor_run\"]", "itoc360")
        .route("backups", "kinds = [\"collection_backup\"]", "backups")
        .route("archive", "", "archive")
}

/// Sends a body that must be recognised, kept and routed; gives its kind.
async fn post(gateway: &TestGateway, body: &Body) -> String {
    let beginning = String::from_utf8_lossy(&body.bytes[..body.bytes.len().min(60)]);
    let answer = gateway.post(body.bytes.clone()).await;
    assert_eq!(answer.status, 202, "{beginning}: {}", answer.text());
    let accepted = answer.json();
    assert_ne!(accepted["deliveries"], 0, "{beginning}");
    let id = accepted["event_id"].as_str().unwrap();
    let kept = gateway.ask(&format!("/api/v1/events/{id}/body")).await;
    assert!(kept.body == body.bytes, "{beginning}: kept other bytes than were sent");
    let kind = accepted["kind"].as_str().unwrap();
    assert_ne!(kind, "unrecognized", "{beginning}");
    kind.to_owned()
}

fn read(folder: &Path) -> Vec<Vec<u8>> {
    let files: Vec<Vec<u8>> = files(folder).iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}
