use postroom_core::event::Kind;
use postroom_host::Manifest;
use serde_json::json;

use super::*;

#[test]
fn there_are_samples_of_every_kind() {
    let samples = samples();
    for kind in Kind::ALL {
        assert!(samples.iter().any(|sample| sample.event.kind == kind), "none of {kind}");
    }
}

#[test]
fn settings_are_a_json_object_or_a_file_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("settings.json");
    fs::write(&file, r#"{"a": {"b": [1, 2.5, "x"]}}"#).unwrap();
    let read = |config: &str| {
        let args = Trial { file: PathBuf::new(), config: Some(config.to_owned()) };
        args.settings().map(Value::Object).map_err(|failure| failure.exit())
    };
    let settings = serde_json::json!({ "a": { "b": [1, 2.5, "x"] } });
    assert_eq!(read(file.to_str().unwrap()), Ok(settings.clone()));
    assert_eq!(read(r#" {"a": {"b": [1, 2.5, "x"]}}"#), Ok(settings));
    for wrong in ["{", "[]", "/nowhere/settings.json"] {
        assert_eq!(read(wrong), Err(Exit::Config), "{wrong}");
    }
}

/// Reads settings for a plugin with this schema.
fn settings_of(settings: Value) -> Result<resolve::Resolved, Failure> {
    let schema = json!({ "properties": { "token": { "type": "string", "writeOnly": true } } });
    let manifest = json!({
        "manifest": 1, "id": "pager", "name": "Pager", "version": "1.0.0", "abi": "1.0", "kinds": ["*"],
        "config_schema": schema,
    });
    let manifest = Manifest::parse(&manifest.to_string()).unwrap();
    let plugin = PluginFile { path: "libpager.so".into(), manifest, size: 1, pin: None };
    let Value::Object(settings) = settings else { panic!("no object") };
    resolved(&plugin, settings, Path::new("/etc"))
}

#[test]
fn settings_are_read_as_those_of_a_destination() {
    let resolved =
        settings_of(json!({ "url": "http://x", "deep": [{ "n": 1 }], "token": "s3cret" })).unwrap();
    let config = &resolved.destination.config;
    assert_eq!(config.json["url"], "http://x");
    assert_eq!(config.json["deep"], json!([{ "n": 1 }]));
    assert_eq!(config.json["token"], json!({ "$secret": "token" }));
    assert_eq!(config.secrets["token"].expose(), "s3cret");
    assert_eq!(settings_of(json!({})).unwrap().destination.config.json, json!({}));
}

#[test]
fn faults_of_settings_are_told() {
    for wrong in [json!({ "a": null }), json!({ "a": { "env": "POSTROOM_TEST_NO_SUCH_VARIABLE" } })] {
        assert_eq!(settings_of(wrong).unwrap_err().exit(), Exit::Config);
    }
}
