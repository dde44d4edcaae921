use serde_json::json;

use super::*;

fn config(more: serde_json::Value) -> GitConfig {
    serde_json::from_value(more).unwrap()
}

#[test]
fn what_is_not_said_is_as_postman_has_it() {
    let config = config(json!({}));
    assert_eq!((config.directory.as_str(), config.file.as_str()), ("Postman Collections", "{name}.json"));
    assert!(config.address().unwrap().is_none() && config.naming().is_ok());
    assert_eq!(config.branch(), Ok(None));
}

#[test]
fn an_address_is_one_of_http_without_secrets() {
    let check = |url: &str, why: &str| {
        let error = config(json!({ "url": url })).address().unwrap_err();
        assert!(error.contains(why), "{url}: {error}");
    };
    check("git@github.com:acme/x.git", "https://");
    check("ssh://git@github.com/acme/x.git", "ssh is not spoken");
    check("https://user:pass@example.com/x.git", "`git.token`");
    check("https://example.com/x.git?token=1", "`?`");
    check("/srv/git/x.git", "leave `git.url` out");
    check("file:///srv/x.git", "leave `git.url` out");
    check("nonsense", "https://");
}

#[test]
fn names_that_git_refuses_are_refused() {
    let naming = |more| config(more).naming().unwrap_err().0;
    assert_eq!(naming(json!({ "directory": "../up" })), "directory");
    assert_eq!(naming(json!({ "directory": "a/.GIT/b" })), "directory");
    assert_eq!(naming(json!({ "file": "{title}.json" })), "file");
    assert_eq!(naming(json!({ "file": "all.json" })), "file");
    assert_eq!(naming(json!({ "message": "{x" })), "message");
    assert_eq!(naming(json!({ "author": "somebody" })), "author");
    assert!(config(json!({ "directory": "" })).naming().is_ok());
    assert!(config(json!({ "branch": "a..b" })).branch().is_err());
    assert_eq!(config(json!({ "branch": "x/y" })).branch(), Ok(Some("refs/heads/x/y".to_owned())));
}
