use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Fault, parse};
use crate::secret::SecretRef;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only parsed")]
struct Config {
    url: String,
    #[serde(default)]
    token: Option<SecretRef>,
    #[serde(default)]
    headers: BTreeMap<String, u16>,
    #[serde(default)]
    list: Vec<u16>,
}

#[test]
fn faults_say_where_they_are() {
    check(r#"{}"#, "", "missing field `url`");
    check(r#"{"url":7}"#, "/url", "invalid type: integer `7`, expected a string");
    check(r#"{"url":"","list":[1,"x"]}"#, "/list/1", "invalid type: string \"x\", expected u16");
    check(
        r#"{"url":"","headers":{"a/b~c":true}}"#,
        "/headers/a~1b~0c",
        "invalid type: boolean `true`, expected u16",
    );
    check(r#"{"url":"","token":"hunter2"}"#, "/token", "a secret is not written here in clear");
    check(r#"{"url":"","tokn":1}"#, "/tokn", "unknown field `tokn`");
}

#[track_caller]
fn check(json: &str, path: &str, message_start: &str) {
    let fault = parse::<Config>(json.as_bytes()).unwrap_err();
    assert_eq!(fault.path, path);
    assert!(fault.message.starts_with(message_start), "{}", fault.message);
    assert!(!fault.message.contains(" at line "), "{}", fault.message);
}

#[test]
fn a_fault_of_the_whole_has_no_path_in_its_text() {
    let fault = |path: &str| Fault { path: path.to_owned(), message: "is wrong".to_owned() };
    assert_eq!(fault("").to_string(), "is wrong");
    assert_eq!(fault("/url").to_string(), "/url: is wrong");
}
