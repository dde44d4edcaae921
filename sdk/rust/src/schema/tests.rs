use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::of;
use crate::{DurationText, SecretOrText, SecretRef};

/// Not part of the schema.
#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Config {
    /// Where to,
    /// in two lines.
    #[serde(default = "url")]
    #[schemars(url)]
    url: String,
    token: SecretRef,
    /// May be left out.
    spare: Option<SecretRef>,
    #[serde(default)]
    headers: BTreeMap<String, SecretOrText>,
    #[serde(default = "timeout", with = "DurationText")]
    timeout: Duration,
    #[serde(default)]
    mode: Mode,
    other_mode: Option<Mode>,
    limit: Option<u8>,
    inner: Vec<Inner>,
}

#[derive(JsonSchema, Deserialize, serde::Serialize, Default)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// As it comes.
    #[default]
    Plain,
    /// Made smaller.
    Short,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema is wanted")]
struct Inner {
    path: String,
}

fn url() -> String {
    "https://example.com".to_owned()
}

const fn timeout() -> Duration {
    Duration::from_secs(90)
}

fn property(name: &str) -> Value {
    of::<Config>("Pager")["properties"][name].clone()
}

#[test]
fn the_whole_is_titled_with_the_plugin_and_closed() {
    let schema = of::<Config>("Pager");
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["title"], "Pager");
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["required"], json!(["token", "inner"]));
    assert_eq!(schema.get("description"), None, "it is the plugin that is described, not its Rust type");
    assert_eq!(schema.get("$defs"), None, "references are written out");
}

#[test]
fn members_have_one_order() {
    let keys = |schema: &Value| schema.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let whole = ["$schema", "title", "type", "properties", "required", "additionalProperties"];
    assert_eq!(keys(&of::<Config>("Pager")), whole);
    assert_eq!(keys(&property("url")), ["description", "type", "format", "default"]);
}

#[test]
fn a_setting_says_what_its_field_says() {
    let text = json!({
        "type": "string", "format": "uri", "default": "https://example.com",
        "description": "Where to, in two lines.",
    });
    assert_eq!(property("url"), text);
    assert_eq!(property("timeout"), json!({ "type": "string", "default": "90s" }));
    assert_eq!(property("inner")["items"]["additionalProperties"], false);
    assert_eq!(property("inner")["items"]["properties"], json!({ "path": { "type": "string" } }));
}

#[test]
fn secrets_are_marked_and_null_is_nowhere() {
    let secret = json!({ "type": "string", "writeOnly": true });
    assert_eq!(property("token"), secret);
    assert_eq!(
        property("spare"),
        json!({ "type": "string", "writeOnly": true, "description": "May be left out." })
    );
    assert_eq!(property("headers")["additionalProperties"], secret);
    assert_eq!(property("limit")["type"], "integer");
    assert!(!of::<Config>("Pager").to_string().contains("null"), "{:#}", of::<Config>("Pager"));
}

#[test]
fn documented_words_are_an_enum_too() {
    let mode = property("mode");
    assert_eq!(mode["enum"], json!(["plain", "short"]));
    assert_eq!(mode["default"], "plain");
    assert_eq!(mode["oneOf"][1]["description"], "Made smaller.");
    assert_eq!(property("other_mode")["enum"], json!(["plain", "short"]));
}

#[test]
fn a_flattened_choice_can_be_met() {
    #[derive(JsonSchema, Deserialize)]
    #[expect(dead_code, reason = "only its schema is wanted")]
    struct Flat {
        url: String,
        #[serde(flatten)]
        auth: Auth,
    }
    #[derive(JsonSchema, Deserialize)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only its schema is wanted")]
    enum Auth {
        Basic { user: String },
        Bearer { token: SecretRef },
    }
    let schema = of::<Flat>("X");
    assert_eq!(schema.get("additionalProperties"), None, "{schema:#}");
    assert_eq!(schema["unevaluatedProperties"], false);
    for choice in schema["oneOf"].as_array().unwrap() {
        assert_eq!(choice.get("additionalProperties"), None, "`url` is refused: {choice:#}");
    }
    assert_eq!(schema["oneOf"][0]["properties"]["basic"]["additionalProperties"], false);
}
