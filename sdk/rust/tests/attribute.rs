//! A plugin by the attribute, as another crate sees it.
#![expect(unsafe_code, reason = "looks for the symbol that the gateway looks for")]

use std::{path::PathBuf, time::Duration};

use postroom_abi::{POSTROOM_CAP_STATE, postroom_errbuf, postroom_plugin};
use postroom_sdk::{
    CreateError, Delivery, DurationText, Event, Failure, Host, Outcome, Plugin, SecretRef, postroom_plugin,
    testing::PluginHarness,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

/// Where pages go.
#[derive(Debug, Deserialize, JsonSchema)]
struct Config {
    /// Address of the pager.
    #[schemars(url)]
    url: String,
    /// Token of the account.
    token: Option<SecretRef>,
    /// How long the pager may take to answer.
    #[serde(default = "ten_seconds", with = "DurationText")]
    timeout: Duration,
    /// Where pages are kept.
    #[schemars(extend("format" = "path"))]
    root: Option<PathBuf>,
    /// The file that each page is noted in.
    #[schemars(extend("format" = "path"))]
    log: Option<PathBuf>,
}

const fn ten_seconds() -> Duration {
    Duration::from_secs(10)
}

struct Pager;

#[postroom_plugin(
    id = "com.example.pager",
    name = "Pager \"2\"",
    description = "Pages somebody – reliably",
    kinds = ["monitor_run", "activity"],
    capabilities = [state],
    concurrency = 16,
    network = ["a.example:443", "*:*"],
    filesystem = [write("{config.root}"), write_file("{config.log}")],
    threads = 4,
    config_schema = "tests/attribute.schema.json"
)]
impl Plugin for Pager {
    type Config = Config;

    async fn create(_: Host, config: Config) -> Result<Self, CreateError> {
        match config {
            Config { url, token: None, timeout, root: None, log: None }
                if !url.is_empty() && timeout == ten_seconds() =>
            {
                Ok(Self)
            }
            other => Err(CreateError::config(format!("{other:?}"))),
        }
    }

    async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        Ok(Outcome::delivered())
    }
}

// As the gateway finds it: by name.
unsafe extern "C" {
    safe fn postroom_plugin_entry_v1(
        minor: u32,
        caps: u64,
        err: *mut postroom_errbuf,
    ) -> *const postroom_plugin;
    safe static postroom_manifest_v1: [u8; <Pager as Plugin>::DECLARED.manifest.len()];
}

fn manifest() -> Value {
    let json = postroom_manifest_v1.strip_suffix(b"\0").expect("it ends with NUL");
    serde_json::from_slice(json).expect("it is JSON")
}

#[test]
fn the_library_has_a_manifest_with_the_schema() {
    let mut manifest = manifest();
    let schema = manifest.as_object_mut().unwrap().remove("config_schema").unwrap();
    assert_eq!(
        manifest,
        json!({
            "manifest": 1,
            "abi": "1.1",
            "id": "com.example.pager",
            "name": "Pager \"2\"",
            "description": "Pages somebody – reliably",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock", "state"],
            "kinds": ["monitor_run", "activity"],
            "concurrency": 16,
            "network": ["a.example:443", "*:*"],
            "filesystem": [
                { "path": "{config.root}", "access": "write" },
                { "path": "{config.log}", "access": "write", "file": true },
            ],
            "limits": { "threads": 4 },
        })
    );
    assert_eq!(schema["title"], "Pager \"2\"");
    assert_eq!(schema["properties"]["token"]["writeOnly"], true);
}

#[test]
fn the_table_is_of_the_version_and_capabilities_that_the_manifest_states() {
    // SAFETY: the table lives as long as the process.
    let table = unsafe { &*postroom_plugin_entry_v1(0, 0, std::ptr::null_mut()) };
    let manifest = manifest();
    assert_eq!(manifest["abi"], format!("{}.{}", table.abi_major, table.abi_minor));
    assert_ne!(table.required_caps & POSTROOM_CAP_STATE, 0);
    assert_eq!(table.required_caps.count_ones() as usize, manifest["capabilities"].as_array().unwrap().len());
}

#[test]
fn describe_computes_what_the_library_says() {
    assert_eq!(PluginHarness::<Pager>::manifest().unwrap(), manifest());
}

#[test]
fn a_setting_that_no_field_takes_is_refused() {
    let faults = PluginHarness::<Pager>::validate(&json!({ "url": "https://a.example", "tokn": "x" }));
    assert_eq!(faults[0].path, "/tokn");
    assert!(PluginHarness::<Pager>::validate(&json!({ "url": "https://a.example" })).is_empty());
}
