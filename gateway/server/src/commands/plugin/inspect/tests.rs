use postroom_host::Manifest;
use serde_json::json;

use super::{asks, settings};

#[test]
fn what_a_plugin_asks_for_is_shown_as_it_would_be_granted() {
    let manifest = json!({
        "manifest": 1, "id": "x", "name": "X", "version": "1.0.0", "abi": "1.0", "kinds": ["*"],
        "network": ["a.example:443", "*:25"],
        "filesystem": [{ "path": "{config.root}", "access": "write" }, { "path": "/etc/x", "access": "read" }],
        "limits": { "memory_mb": 64, "threads": 4 },
    });
    let asked = asks(&Manifest::parse(&manifest.to_string()).unwrap().asks);
    let expected =
        ["TCP port 25, 443", "write {config.root}", "read /etc/x", "64 MiB of memory", "4 threads"];
    assert_eq!(asked, expected);
}

#[test]
fn settings_show_type_default_and_meaning() {
    let rows = settings(&json!({
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": { "type": "string", "writeOnly": true, "description": "The source's token" },
            "mode": { "enum": ["postman", "alertmanager"], "default": "postman" },
            "timeout": { "type": ["string", "null"] },
            "anything": {},
        },
    }));
    let rows: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
    assert_eq!(
        rows,
        [
            "token;secret;required;The source's token",
            "mode;\"postman\" | \"alertmanager\";\"postman\";",
            "timeout;string | null;;",
            "anything;;;",
        ]
    );
}

#[test]
fn a_schema_without_properties_has_no_settings() {
    assert!(settings(&json!({ "type": "object" })).is_empty());
}
