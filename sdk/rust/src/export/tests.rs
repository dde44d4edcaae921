#![expect(unsafe_code, reason = "export! names its symbols without mangling")]
#![expect(unreachable_pub, reason = "export! is meant for the root of a crate")]

use postroom_abi::POSTROOM_CAP_LOG;
use serde_json::{Value, json};

use super::__private::is_id;
use crate::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin};

struct Nothing;

impl Plugin for Nothing {
    type Config = Value;

    async fn create(_: Host, _: Value) -> Result<Self, CreateError> {
        Ok(Self)
    }

    async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        Ok(Outcome::delivered())
    }
}

crate::export! {
    plugin: Nothing,
    id: "com.example.nothing",
    name: "Nothing \"at all\"",
    description: "Tut nichts – zuverlässig",
    kinds: ["monitor_run", "activity"],
    concurrency: 16,
    network: ["a.example:443", "b.example:80"],
    filesystem: [{ "path": "data", "access": "write" }],
    config_schema: { "type": "object", "properties": { "n": { "type": "integer", "minimum": -1 } } },
}

#[test]
fn the_manifest_is_json_that_ends_with_nul() {
    let (nul, json) = postroom_manifest_v1.split_last().unwrap();
    assert_eq!(*nul, 0);
    assert_eq!(
        serde_json::from_slice::<Value>(json).unwrap(),
        json!({
            "manifest": 1,
            "abi": "1.0",
            "id": "com.example.nothing",
            "name": "Nothing \"at all\"",
            "description": "Tut nichts – zuverlässig",
            "version": env!("CARGO_PKG_VERSION"),
            "capabilities": ["log", "secrets", "clock"],
            "kinds": ["monitor_run", "activity"],
            "concurrency": 16,
            "network": ["a.example:443", "b.example:80"],
            "filesystem": [{ "path": "data", "access": "write" }],
            "config_schema": { "type": "object", "properties": { "n": { "type": "integer", "minimum": -1 } } },
        })
    );
}

#[test]
fn the_manifest_states_the_version_and_capabilities_of_the_table() {
    let json: Value = serde_json::from_slice(postroom_manifest_v1.strip_suffix(b"\0").unwrap()).unwrap();
    // SAFETY: the table lives as long as the process.
    let table = unsafe { &*postroom_plugin_entry_v1(0, 0, std::ptr::null_mut()) };
    assert_eq!(json["abi"], format!("{}.{}", table.abi_major, table.abi_minor));
    assert_ne!(table.required_caps & POSTROOM_CAP_LOG, 0);
    assert_eq!(table.required_caps.count_ones() as usize, json["capabilities"].as_array().unwrap().len());
}

#[test]
fn a_schema_may_come_from_a_file() {
    let manifest = crate::__manifest!("a", "A", "", ["*"], 1, "none", [], include_str!("tests.schema.json"));
    let json: Value = serde_json::from_str(manifest.trim_end_matches('\0')).unwrap();
    assert_eq!(json["config_schema"], json!({ "type": "object" }));
}

#[test]
fn ids_follow_the_pattern() {
    for id in ["a", "itoc360", "com.example.slack-2", "0"] {
        assert!(is_id(id), "{id}");
    }
    for id in ["", "A", "a.", ".a", "-a", "a--b", "a.-b", "a b", "ä", "a_b"] {
        assert!(!is_id(id), "{id}");
    }
}
