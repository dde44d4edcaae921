use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::{SecretOrText, schema::of};

#[track_caller]
fn check<C: DeserializeOwned + JsonSchema>(config: &Value, expected: &[&str]) {
    serde_json::from_value::<C>(config.clone()).map(drop).unwrap();
    let schema = of::<C>("X");
    let found: Vec<String> = unread::<C>(config, &schema).into_iter().map(|fault| fault.path).collect();
    assert_eq!(found, expected, "{schema:#}");
}

#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only read")]
struct Account {
    user: String,
    token: Option<SecretOrText>,
}

#[test]
fn a_setting_beside_a_flattened_type_is_one_of_its_fields_or_none() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only read")]
    struct Flat {
        #[serde(alias = "address")]
        url: String,
        #[serde(flatten)]
        account: Account,
        inner: Option<Box<Flat>>,
    }
    check::<Flat>(&json!({ "url": "x", "user": "u", "token": { "$secret": "token" } }), &[]);
    check::<Flat>(&json!({ "address": "x", "user": "u" }), &[]);
    check::<Flat>(&json!({ "url": "x", "user": "u", "tokn": "y", "a/b": {} }), &["/tokn", "/a~1b"]);
}

#[test]
fn a_setting_beside_a_flattened_choice_is_of_one_of_the_choices_or_none() {
    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[expect(dead_code, reason = "only read")]
    enum Auth {
        Basic(Account),
        Bearer { token: String },
    }
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only read")]
    struct Choice {
        url: String,
        #[serde(flatten)]
        auth: Auth,
    }
    check::<Choice>(&json!({ "url": "x", "basic": { "user": "u" } }), &[]);
    check::<Choice>(&json!({ "url": "x", "bearer": { "token": "t" }, "uri": "y" }), &["/uri"]);
    check::<Choice>(&json!({ "url": "x", "basic": { "user": "u", "tokn": "t" } }), &["/basic/tokn"]);
}

#[test]
fn what_takes_everything_has_no_wrong_settings() {
    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only read")]
    struct Open {
        url: String,
        list: Vec<Account>,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    let config = json!({ "url": "x", "more": 1, "list": [{ "user": "u" }], "other": { "a": "b" } });
    check::<Open>(&config, &[]);
}
