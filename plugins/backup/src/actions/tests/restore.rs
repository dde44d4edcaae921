//! The action against the strict double, over a real connection.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Instant,
};

use postroom_postman_double::{Habits, Postman, Request, Trouble};

use super::*;

const KEY: &str = "PMAK-000000000000000000000000-key";

/// Serves the double on a port of its own, for as long as the test runs.
fn serve(habits: Habits) -> (Arc<Postman>, String) {
    let double = Arc::new(Postman::new(habits));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/api", listener.local_addr().unwrap());
    let (shared, begun) = (Arc::clone(&double), Instant::now());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Some((request, mut stream)) = read(stream.unwrap()) else { continue };
            let Some(reply) = shared.answer(&request, begun.elapsed()) else { continue };
            let mut head = format!("HTTP/1.1 {} x\r\nConnection: close\r\n", reply.status);
            for (name, value) in reply.headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(&reply.body).unwrap();
        }
    });
    (double, url)
}

fn read(stream: TcpStream) -> Option<(Request, TcpStream)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let path = path.strip_prefix("/api").expect("the path of `base_url` is kept").to_owned();
    let query = query.split('&').filter_map(|pair| pair.split_once('='));
    let query = query.map(|(name, value)| (name.to_owned(), value.replace('+', " "))).collect();
    let mut request = Request { method, path, query, ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        assert!(
            request.headers.insert(name.to_ascii_lowercase(), value.to_owned()).is_none(),
            "{name} twice"
        );
    }
    let length = request.headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body).unwrap();
    Some((request, reader.into_inner()))
}

/// A backup with one version, and Postman.
fn scene(habits: Habits) -> (TempDir, PluginHarness<Backup>, Arc<Postman>) {
    let (double, url) = serve(habits);
    let root = tempfile::tempdir().unwrap();
    let postman = json!({ "api_key": { "$secret": "postman" }, "base_url": url, "workspace": "team" });
    let config = json!({ "root": root.path(), "postman": postman });
    let harness = PluginHarness::builder().config(config).secret("postman", &format!("{KEY}\n"));
    let harness = harness.start().unwrap();
    let body = format!(
        r#"{{"info":{{"_postman_id":"{ID}","name":"My Shop"}},"item":[{{"name":"old","request":{{"url":"https://x.example"}}}}],
        "auth":{{"type":"bearer","bearer":{{"token":"{{{{t}}}}"}}}}}}"#
    );
    let outcome = harness.deliver(&EventFixture::collection_backup(body));
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    (root, harness, double)
}

fn present() -> Value {
    json!({ "info": { "name": "My Shop" }, "item": [{ "name": "new", "request": { "url": "https://x.example" } }] })
}

#[test]
fn a_version_becomes_a_new_collection() {
    let (_root, harness, postman) = scene(Habits::default());
    let restored = harness.act("restore", &json!({ "collection": ID })).unwrap();
    let uid = restored["uid"].as_str().unwrap();
    assert_eq!((&restored["state"], &restored["name"]), (&json!("done"), &json!("My Shop")));
    assert_eq!(restored["notes"], json!(["converted to v2.1, the format that Postman's API takes"]));
    assert_eq!(postman.in_workspace("team"), [uid]);
    assert_eq!(postman.collection(uid).unwrap()["auth"]["bearer"][0]["value"], "{{t}}");
    let told = format!("restored version {} of {ID} to {uid}", restored["version"]["id"].as_str().unwrap());
    assert!(harness.logs().iter().any(|line| line.message == told), "{:?}", harness.logs());
    assert!(harness.logs().iter().all(|line| !line.message.contains(KEY)));
}

#[test]
fn a_version_goes_over_what_is_there_after_a_look() {
    let (_root, harness, postman) = scene(Habits { polls: 1, ..Habits::default() });
    let uid = postman.put(ID, "own", &present());
    let input = json!({ "collection": ID, "over": true, "dry_run": true });
    let rehearsed = harness.act("restore", &input).unwrap();
    assert_eq!((&rehearsed["state"], &rehearsed["uid"]), (&json!("dry_run"), &json!(uid)));
    let difference = &rehearsed["difference"];
    assert_eq!(difference["summary"], "1 request renamed, 1 authorization added");
    assert!(difference["text"].as_str().unwrap().contains("old"), "{difference}");
    assert_eq!(difference["changes_left_out"], 0);
    assert_eq!(postman.collection(&uid).unwrap()["item"][0]["name"], "new");

    let restored = harness.act("restore", &json!({ "collection": ID, "over": true })).unwrap();
    assert_eq!((&restored["state"], &restored["keeps_ids"]), (&json!("done"), &json!(true)));
    assert!(restored["task"].is_string() && restored.get("difference").is_none());
    assert_eq!(postman.collection(&uid).unwrap()["item"][0]["name"], "old");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let (_root, harness, postman) = scene(Habits::default());
    for (input, path) in [
        (json!({ "collection": ID, "target": "1-2" }), "/target"),
        (json!({ "collection": ID, "over": true, "workspace": "team" }), "/workspace"),
    ] {
        let error = harness.act("restore", &input).unwrap_err();
        assert!(matches!(&error, ActionError::Input(faults) if faults[0].path == path), "{error}");
    }
    let unknown = json!({ "collection": ID, "version": "7" });
    assert!(matches!(harness.act("restore", &unknown), Err(ActionError::NotFound(_))));
    let gone = json!({ "collection": ID, "over": true });
    assert!(matches!(harness.act("restore", &gone), Err(ActionError::NotFound(_))));
    assert!(postman.asked().iter().all(|line| line.starts_with("GET ")));
}

#[test]
fn without_a_key_or_with_a_wrong_one_the_setting_is_named() {
    let (_root, harness) = backup_of(json!({}), &["a"]);
    let error = harness.act("restore", &json!({ "collection": ID })).unwrap_err();
    assert!(
        matches!(&error, ActionError::Misconfigured(why) if why.contains("`postman.api_key`")),
        "{error}"
    );

    let (_root, harness, _postman) = scene(Habits::default());
    harness.set_secret("postman", "PMAK-another");
    let error = harness.act("restore", &json!({ "collection": ID })).unwrap_err();
    assert!(
        matches!(&error, ActionError::Misconfigured(why) if why.contains("`postman.api_key`")),
        "{error}"
    );
    assert!(!error.to_string().contains("another"));
    harness.set_secret("postman", "two\nlines");
    let error = harness.act("restore", &json!({ "collection": ID })).unwrap_err();
    assert!(matches!(&error, ActionError::Misconfigured(why) if !why.contains("lines")), "{error}");
}

#[test]
fn what_postman_refuses_is_a_conflict_and_what_may_pass_is_not() {
    let (_root, harness, postman) = scene(Habits::default());
    let refusal = json!({ "error": { "name": "x", "message": "no" } });
    postman.trouble("POST", Trouble::Instead(400, vec![], refusal.clone()));
    let error = harness.act("restore", &json!({ "collection": ID })).unwrap_err();
    assert_eq!(error, ActionError::conflict("Postman does not take the collection (400): no"));
    postman.trouble("GET", Trouble::Instead(429, vec![("RetryAfter", "9000")], refusal));
    let error = harness.act("restore", &json!({ "collection": ID })).unwrap_err();
    assert!(matches!(error, ActionError::Unavailable(_)), "{error}");
}

#[test]
fn a_redacted_version_says_that_its_secrets_are_gone() {
    let (_double, url) = serve(Habits::default());
    let postman = json!({ "api_key": { "$secret": "postman" }, "base_url": url });
    let root = tempfile::tempdir().unwrap();
    let config = json!({ "root": root.path(), "scan": "redact", "postman": postman });
    let harness = PluginHarness::<Backup>::builder().config(config).secret("postman", KEY).start().unwrap();
    let body = format!(
        r#"{{"info":{{"_postman_id":"{ID}","name":"Shop"}},"item":[],"variable":[{{"key":"k","value":"ghp_{}"}}]}}"#,
        "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    );
    let outcome = harness.deliver(&EventFixture::collection_backup(body));
    assert_eq!(outcome.kind, OutcomeKind::Delivered, "{outcome:?}");
    let restored = harness.act("restore", &json!({ "collection": ID })).unwrap();
    let notes = restored["notes"].as_array().unwrap();
    let note = "secrets were taken out of this version before it was kept: set them again in Postman";
    assert!(notes.contains(&json!(note)) == restored["version"]["redacted"].as_bool().unwrap(), "{restored}");
    assert_eq!(restored["version"]["redacted"], true);
}

#[test]
fn settings_that_cannot_be_are_named() {
    for (postman, path) in [
        (json!({ "base_url": "ftp://x" }), "/postman/base_url"),
        (json!({ "base_url": "https://u:p@x.example" }), "/postman/base_url"),
        (json!({ "base_url": "https://x.example/?a" }), "/postman/base_url"),
        (json!({ "workspace": "My Workspace" }), "/postman/workspace"),
        (json!({ "owner": "me" }), "/postman/owner"),
    ] {
        let mut config = json!({ "root": "/x", "postman": postman });
        config["postman"]["api_key"] = json!({ "$secret": "postman" });
        let faults = PluginHarness::<Backup>::validate(&config);
        assert_eq!(faults.iter().map(|fault| fault.path.as_str()).collect::<Vec<_>>(), [path], "{config}");
    }
    let postman = json!({ "api_key": { "$secret": "postman" }, "base_url": "http://x.example" });
    let warnings = PluginHarness::<Backup>::warnings(&json!({ "root": "/x", "postman": postman }));
    assert_eq!(warnings[0].path, "/postman/base_url");
}
