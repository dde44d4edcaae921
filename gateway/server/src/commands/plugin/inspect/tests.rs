use serde_json::json;

use super::settings;

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
