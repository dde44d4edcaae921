use serde_json::{Value, json};

use super::{AbiVersion, Manifest, ManifestError};

fn good() -> Value {
    json!({
        "manifest": 1, "id": "com.example.hello-c", "name": "Hello", "version": "0.1.0", "abi": "1.0",
        "kinds": ["monitor_run"],
    })
}

/// The fault of a good manifest whose `key` was set to `value`; null takes the key out.
#[track_caller]
fn fault(key: &str, value: Value) -> String {
    let mut manifest = good();
    match value {
        Value::Null => drop(manifest.as_object_mut().unwrap().remove(key)),
        value => manifest[key] = value,
    }
    Manifest::parse(&manifest.to_string()).unwrap_err().to_string()
}

#[test]
fn a_good_manifest_is_read_whole() {
    let mut text = good();
    text["concurrency"] = json!(8);
    text["config_schema"] = json!({"type": "object"});
    text["from_a_newer_sdk"] = json!([1, 2]);

    let manifest = Manifest::parse(&text.to_string()).unwrap();

    assert_eq!(manifest.id, "com.example.hello-c");
    assert_eq!(manifest.abi, AbiVersion { major: 1, minor: 0 });
    assert_eq!(manifest.kinds, ["monitor_run"]);
    assert_eq!(manifest.concurrency, Some(8));
    assert_eq!(manifest.config_schema, Some(json!({"type": "object"})));
    assert_eq!(manifest.document["from_a_newer_sdk"], json!([1, 2]));
}

#[test]
fn optional_keys_may_be_absent() {
    let manifest = Manifest::parse(&good().to_string()).unwrap();
    assert_eq!((manifest.concurrency, manifest.config_schema), (None, None));
}

#[test]
fn the_smaller_of_the_two_concurrencies_counts() {
    let manifest = |concurrency| Manifest { concurrency, ..Manifest::parse(&good().to_string()).unwrap() };
    assert_eq!(manifest(None).concurrency_within(8), 8);
    assert_eq!(manifest(Some(4)).concurrency_within(8), 4);
    assert_eq!(manifest(Some(16)).concurrency_within(8), 8);
}

#[test]
fn every_required_key_is_required() {
    for key in ["manifest", "id", "name", "version", "abi", "kinds"] {
        assert_eq!(fault(key, Value::Null), format!("the manifest lacks {key:?}"));
    }
}

#[test]
fn faulty_values_are_refused_with_what_is_expected() {
    let faults = [
        ("manifest", json!(2), "not 1, the format"),
        ("manifest", json!("1"), "not 1, the format"),
        ("id", json!(""), "lower-case words"),
        ("id", json!("Upper"), "lower-case words"),
        ("id", json!("a..b"), "lower-case words"),
        ("id", json!("-a"), "lower-case words"),
        ("id", json!("../etc"), "lower-case words"),
        ("id", json!("a".repeat(129)), "at most 128 bytes"),
        ("name", json!(""), "1 to 80 bytes"),
        ("name", json!("two\nlines"), "1 to 80 bytes"),
        ("version", json!(1), "a version"),
        ("abi", json!("1"), "a version such as"),
        ("abi", json!(1.0), "a version such as"),
        ("kinds", json!([]), "a list of kinds"),
        ("kinds", json!("monitor_run"), "a list of kinds"),
        ("kinds", json!([1]), "a list of kinds"),
        ("concurrency", json!(0), "from 1 to 1024"),
        ("concurrency", json!(1025), "from 1 to 1024"),
        ("concurrency", json!(1.5), "from 1 to 1024"),
        ("config_schema", json!("{}"), "a JSON Schema object"),
    ];
    for (key, value, expected) in faults {
        let message = fault(key, value.clone());
        assert!(message.contains(expected) && message.contains(key), "{key} = {value}: {message}");
    }
}

#[test]
fn another_abi_major_is_refused_with_both_versions() {
    let message = fault("abi", json!("2.3"));
    assert!(message.contains("needs plugin ABI 2.3, this gateway speaks 1."), "{message}");
}

#[test]
fn a_newer_minor_is_welcome() {
    let mut manifest = good();
    manifest["abi"] = json!("1.99");
    assert!(Manifest::parse(&manifest.to_string()).is_ok());
}

#[test]
fn text_that_is_no_object_is_refused() {
    assert_eq!(Manifest::parse("[1]"), Err(ManifestError::NotAnObject));
    assert!(matches!(Manifest::parse("{"), Err(ManifestError::NotJson { .. })));
}
