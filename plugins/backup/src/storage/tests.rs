use std::{
    future::Future,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin, testing::PluginHarness};
use serde_json::{Value, json};
use tokio::runtime;

use super::{contract, doubles::cut::Line, folder::Folder, memory::Memory, *};
use crate::config::Config;

mod drives;
mod objects;
mod servers;

pub(super) const NOW: u64 = 1_795_289_807_042;

/// Hands its host out: the storages of these tests have the client that those of a gateway have.
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

/// Every secret that a test may refer to by its name.
const SECRETS: [(&str, &str); 6] = [
    ("key_id", "AKIATEST"),
    ("key", "sUp3rS3cr3t"),
    ("azure", "c2VjcmV0LWtleS1vZi10aGUtYWNjb3VudA=="),
    ("password", "p4ssw0rd!"),
    ("refresh", "r3fresh/+="),
    ("client_secret", "cl13nt&s3cret"),
];

/// Runs a test with what a storage is made with.
pub(super) fn run<F: Future<Output = ()>>(test: impl FnOnce(Setup) -> F) {
    let builder = PluginHarness::<Giver>::builder().config(json!({})).now_unix_ms(NOW);
    let builder = SECRETS.iter().fold(builder, |builder, (name, value)| builder.secret(name, value));
    let builder = builder.secret("account", doubles::gcs::SERVICE_ACCOUNT);
    let builder = builder.secret("private_key", &doubles::sftp::user_key());
    let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let harness = builder.start().unwrap();
    let host = GIVEN.lock().unwrap().take().unwrap();
    drop(one);
    let setup = Setup::new(&host).unwrap();
    let runtime = runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(test(setup));
    drop(runtime);
    drop(harness.shut_down());
}

pub(super) fn secret(name: &str) -> Value {
    json!({ "$secret": name })
}

pub(super) fn open(setup: &Setup, config: Value) -> Storage {
    let config: Config = serde_json::from_value(config).unwrap();
    Storage::open(&config, setup).unwrap()
}

pub(super) fn open_at(setup: &Setup, double: SocketAddr, config: Value) -> Storage {
    open(&setup.to(double), config)
}

/// The failure of a storage, as the gateway has it, without its message.
#[track_caller]
pub(super) fn check_failure<T: std::fmt::Debug>(
    result: Result<T, StorageError>,
    expected: &str,
    message: &str,
) {
    let error = result.unwrap_err();
    let text = error.to_string();
    assert!(text.contains(message), "{text}");
    for (_, secret) in SECRETS {
        assert!(!text.contains(secret) && !format!("{error:?}").contains(secret), "{text}");
    }
    let seen = match Failure::from(error) {
        Failure::Retry { code, after: None, .. } => format!("retry {code}"),
        Failure::Retry { code, after: Some(after), .. } => format!("retry {code} after {}s", after.as_secs()),
        Failure::Permanent { code, .. } => format!("permanent {code}"),
        Failure::Misconfigured { code, .. } => format!("misconfigured {code}"),
        Failure::RateLimited { after, .. } => format!("rate limited for {}s", after.as_secs()),
    };
    assert_eq!(seen, expected, "{text}");
}

pub(super) fn every_name(_: &str) -> bool {
    true
}

/// The calls run on whichever thread has time.
#[test]
fn calls_can_move_between_threads() {
    fn check<T: Send>(_: T) {}
    let storage = Storage { service: Service::Memory(Memory::default()) };
    check(storage.read("a"));
    check(storage.write("a", Bytes::new(), Write::New));
    check(storage.exists("a"));
    check(storage.list("a"));
    check(storage.delete("a"));
    check(storage.sweep(0));
}

#[test]
fn memory_keeps_the_contract() {
    run(|_| async {
        let storage = Storage { service: Service::Memory(Memory::default()) };
        contract::check(&storage, every_name).await;
    });
}

#[test]
fn a_folder_keeps_the_contract() {
    run(|setup| async move {
        let root = tempfile::tempdir().unwrap();
        let storage = open(&setup, json!({ "root": root.path().join("made/by the first write") }));
        contract::check(&storage, every_name).await;
        assert!(storage.describe().ends_with("made/by the first write"), "{}", storage.describe());
    });
}

#[test]
fn what_crashes_left_in_a_folder_is_not_seen_and_is_swept() {
    run(|_| async {
        let root = tempfile::tempdir().unwrap();
        let storage = Storage { service: Service::Folder(Folder::new(root.path().to_owned())) };
        storage.write("a/b/c", Bytes::from_static(b"x"), Write::New).await.unwrap();
        let left = root.path().join("a/b/.postroom-17-0.tmp");
        std::fs::write(&left, "half of it").unwrap();
        assert_eq!(storage.list("a/b").await.unwrap().len(), 1);
        assert_eq!(storage.sweep(0).await.unwrap(), 0, "it may be another instance's");
        let written = left.metadata().unwrap().modified().unwrap();
        let written = written.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() * 1000;
        assert_eq!(storage.sweep(written + 3_700_000).await.unwrap(), 1);
        assert!(!left.exists());
    });
}

#[test]
fn a_folder_that_cannot_be_made_is_a_fault_of_the_settings() {
    run(|_| async {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("file");
        std::fs::write(&file, "").unwrap();
        let storage = Storage { service: Service::Folder(Folder::new(file.join("below"))) };
        let written = storage.write("a", Bytes::from_static(b"x"), Write::New).await;
        check_failure(written, "misconfigured root", "choose another `root`");
    });
}
