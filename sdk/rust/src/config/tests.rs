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
    let fault = parse::<Config>(json.as_bytes()).unwrap_err().remove(0);
    assert_eq!(fault.path, path);
    assert!(fault.message.starts_with(message_start), "{}", fault.message);
    assert!(!fault.message.contains(" at line "), "{}", fault.message);
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct Lenient {
    inner: Option<Inner>,
    #[serde(default)]
    more: Vec<Inner>,
}

#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "only parsed")]
struct Inner {
    url: String,
}

#[test]
fn unknown_settings_are_refused_by_types_that_would_pass_them_over() {
    let json = r#"{"tokn":"hunter2","inner":{"url":"","a/b":1},"more":[{"url":""},{"url":"","c":[]}]}"#;
    let faults = parse::<Lenient>(json.as_bytes()).unwrap_err();
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["/tokn", "/inner/a~1b", "/more/1/c"]);
    assert_eq!(faults[0].message, "there is no such setting");
    assert!(parse::<Lenient>(br#"{"inner":{"url":""}}"#).is_ok());
}

#[test]
fn a_fault_of_the_whole_has_no_path_in_its_text() {
    let fault = |path: &str| Fault { path: path.to_owned(), message: "is wrong".to_owned() };
    assert_eq!(fault("").to_string(), "is wrong");
    assert_eq!(fault("/url").to_string(), "/url: is wrong");
}
