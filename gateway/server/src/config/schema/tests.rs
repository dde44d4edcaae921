use std::path::Path;

use serde_json::{Value, json};

use super::*;

/// Applies `schema` to `settings` in `/etc/postroom` and compares settings and secrets.
#[track_caller]
fn check(schema: Value, settings: Value, expected: Value, secrets: &[(&str, &str)]) {
    let mut config = PluginConfig::empty();
    config.json = settings;
    apply(&mut config, &schema, Path::new("/etc/postroom"));
    assert_eq!(config.json, expected);
    let found: Vec<(&str, &str)> =
        config.secrets.iter().map(|(name, secret)| (name.as_str(), secret.expose())).collect();
    assert_eq!(found, secrets);
}

#[test]
fn what_the_schema_calls_write_only_becomes_a_secret() {
    check(
        json!({ "properties": {
            "token": { "type": "string", "writeOnly": true },
            "headers": { "additionalProperties": { "type": "string", "writeOnly": true } },
            "keys": { "items": { "writeOnly": true } },
        }}),
        json!({ "token": "t", "headers": { "Authorization": "a" }, "keys": ["k"], "url": "u" }),
        json!({
            "token": { "$secret": "token" },
            "headers": { "Authorization": { "$secret": "headers.Authorization" } },
            "keys": [{ "$secret": "keys.0" }],
            "url": "u",
        }),
        &[("headers.Authorization", "a"), ("keys.0", "k"), ("token", "t")],
    );
}

#[test]
fn a_secret_given_by_reference_stays_as_it_is() {
    let settings = json!({ "token": { "$secret": "token" } });
    check(json!({ "properties": { "token": { "writeOnly": true } } }), settings.clone(), settings, &[]);
}

#[test]
fn paths_start_from_the_folder_of_the_file() {
    check(
        json!({ "oneOf": [{ "properties": { "root": { "format": "path" } } }] }),
        json!({ "root": "data/backups", "name": "data" }),
        json!({ "root": "/etc/postroom/data/backups", "name": "data" }),
        &[],
    );
    check(
        json!({ "properties": { "root": { "format": "path" } } }),
        json!({ "root": "/srv/backups" }),
        json!({ "root": "/srv/backups" }),
        &[],
    );
}

#[test]
fn a_schema_that_says_nothing_changes_nothing() {
    for schema in
        [json!(null), json!(true), json!({}), json!({ "properties": 5, "additionalProperties": true })]
    {
        check(schema, json!({ "a": "b" }), json!({ "a": "b" }), &[]);
    }
}
