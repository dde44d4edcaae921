use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::{command::Exit, commands::testing::gateway, output::Colour};

#[derive(Debug, Parser)]
enum Cli {
    Destinations(ListArgs),
    Destination(Args),
}

/// Runs a command against a gateway with these answers; gives how it ended, what it printed, and what was asked.
fn ran(answers: Vec<(u16, Value)>, args: &[&str]) -> (Result<(), Failure>, String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(answers);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let cli = Cli::try_parse_from(["postroom"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let ended = match cli {
        Cli::Destinations(args) => list(&args, &mut output),
        Cli::Destination(args) => run(&args, &mut output),
    };
    (ended, String::from_utf8([data, talk].concat()).unwrap(), answering.join().unwrap())
}

#[track_caller]
fn printed(answers: Vec<(u16, Value)>, args: &[&str]) -> String {
    let (ended, printed, _) = ran(answers, args);
    ended.unwrap();
    printed
}

fn archive() -> Value {
    json!({
        "name": "archive", "plugin": "forward", "plugin_version": "0.2.0", "state": "paused", "gate": "held",
        "paused_by": "olga", "paused_since": "2026-11-22T05:00:00.000Z", "in_flight": 1, "waiting": 2, "behind": true,
        "sandbox": {
            "mode": "best_effort", "active": ["no_new_privs", "seccomp"],
            "missing": [{ "layer": "landlock", "reason": "turned\u{1b}[31m off" }],
        },
        "process": {
            "pid": 4711, "since": "2026-11-22T04:00:00.000Z", "restarts": 1, "memory_bytes": 3_500_000, "threads": 4,
            "faults": { "stale": 0, "slow": 2 },
        },
        "health": { "state": "unavailable", "since": "2026-11-22T04:30:00.000Z", "detail": { "message": "no answer" } },
    })
}

fn broken() -> Value {
    json!({
        "name": "broken", "plugin": "itoc360", "plugin_version": "1.0.0", "state": "backing_off", "gate": "open",
        "detail": "signal 6", "in_flight": 0, "waiting": 7, "behind": false,
        "backoff": {
            "failures": 3, "restarts": 2, "last_error": "signal 6", "next_start": "2026-11-22T05:00:00.000Z",
        },
    })
}

fn actions() -> Value {
    json!({ "items": [
        { "name": "list", "title": "List", "description": "Names the versions", "danger": false },
        {
            "name": "restore", "danger": true, "description": "Puts a version back",
            "input_schema": { "properties": { "version": {}, "force": {} }, "required": ["version"] },
        },
    ]})
}

#[test]
fn destinations_are_a_table_with_the_sandbox_in_a_word() {
    let list = json!({ "items": [archive(), broken()] });
    insta::assert_snapshot!(printed(vec![(200, list)], &["destinations"]), @"
    NAME     PLUGIN         STATE          WAITING  SANDBOX
    archive  forward 0.2.0  paused (held)  2+       without landlock
    broken   itoc360 1.0.0  backing_off    7        -
    ");
}

#[test]
fn all_there_is_to_know_of_a_destination_is_shown() {
    insta::assert_snapshot!(printed(vec![(200, archive())], &["destination", "archive", "show"]), @r#"
    name       archive
    plugin     forward 0.2.0
    state      paused
    gate       held by olga since 2026-11-22T05:00:00.000Z
    in flight  1
    waiting    2, and more in the store
    process    pid 4711, since 2026-11-22T04:00:00.000Z, 1 restart, 3.4 MiB of memory, 4 threads
    faults     2 deliveries taken on too slowly
    health     unavailable since 2026-11-22T04:30:00.000Z: {"message":"no answer"}
    sandbox    best_effort: no_new_privs, seccomp
    without    landlock: turned [31m off
    "#);
    insta::assert_snapshot!(printed(vec![(200, broken())], &["destination", "broken", "show"]), @"
    name       broken
    plugin     itoc360 1.0.0
    state      backing_off
    backoff    3 failures in a row, 2 restarts, started again at 2026-11-22T05:00:00.000Z: signal 6
    gate       open
    in flight  0
    waiting    7
    ");
}

#[test]
fn steering_says_how_the_destination_stands_then() {
    for (act, path) in [("pause", "pause"), ("resume", "resume"), ("reload", "reload")] {
        let (ended, printed, asked) = ran(vec![(200, archive())], &["destination", "a/b", act]);
        ended.unwrap();
        assert_eq!(asked, [format!("POST /api/v1/destinations/a%2Fb/{path}")]);
        assert!(printed.contains("paused (held)"), "{printed}");
    }
}

#[test]
fn actions_are_listed_with_what_they_take() {
    insta::assert_snapshot!(printed(vec![(200, actions())], &["destination", "a", "actions"]), @"
    ACTION   DANGER  TAKES            MEANING
    list                              Names the versions
    restore  yes     version [force]  Puts a version back
    ");
    let nothing = printed(vec![(200, json!({ "items": [] }))], &["destination", "a", "actions"]);
    assert_eq!(nothing, "the plugin of a has no actions\n");
}

#[test]
fn an_action_is_run_with_its_input_and_time() {
    let done = json!({ "output": { "events": 7, "note": "all\nwell" } });
    let answers = || vec![(200, actions()), (200, done.clone())];
    let args = ["destination", "a", "action", "list", "--input", "{\"n\": 1}", "--timeout", "5"];
    let (ended, printed, asked) = ran(answers(), &args);
    ended.unwrap();
    assert_eq!(printed, "events  7\nnote    all well\n");
    let runs = "POST /api/v1/destinations/a/actions/list?timeout=5 {\"n\":1}";
    assert_eq!(asked, ["GET /api/v1/destinations/a/actions", runs]);
    let (_, printed, _) = ran(answers(), &["destination", "a", "action", "list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), done["output"]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("input.json");
    std::fs::write(&file, "{\"n\": 2}").unwrap();
    let given = format!("@{}", file.display());
    let (_, _, asked) = ran(answers(), &["destination", "a", "action", "list", "--input", &given]);
    assert!(asked[1].ends_with("?timeout=60 {\"n\":2}"), "{asked:?}");
}

#[test]
fn what_destroys_is_run_only_with_a_word_more() {
    let (ended, _, asked) = ran(vec![(200, actions())], &["destination", "a", "action", "restore"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::Usage);
    assert_eq!(asked.len(), 1, "it was only looked up");
    let done = vec![(200, json!({ "output": {} }))];
    let (ended, _, asked) = ran(done, &["destination", "a", "action", "restore", "--yes"]);
    ended.unwrap();
    assert!(asked[0].starts_with("POST "), "{asked:?}");
}

#[test]
fn an_input_that_is_no_object_never_leaves_the_house() {
    for input in ["7", "[]", "{", "@/nowhere"] {
        let (ended, _, asked) = ran(vec![], &["destination", "a", "action", "list", "--input", input]);
        let expected = if input.starts_with('@') { Exit::NotFound } else { Exit::Usage };
        assert_eq!(ended.unwrap_err().exit(), expected, "{input}");
        assert!(asked.is_empty());
    }
}

#[test]
fn each_refusal_has_an_exit_code() {
    let problem =
        |code: &str| json!({ "code": code, "detail": "no\u{1b}[2J", "reasons": ["/n: is missing"] });
    for (status, code, exit) in [
        (401, "unauthorized", Exit::Refused),
        (403, "forbidden", Exit::Refused),
        (404, "not_found", Exit::NotFound),
        (404, "no_such_path", Exit::Failed),
        (409, "conflict", Exit::Failed),
        (422, "invalid_input", Exit::Usage),
        (422, "invalid_config", Exit::Failed),
        (502, "plugin_failed", Exit::PluginFailed),
        (503, "unavailable", Exit::Failed),
        (504, "action_timeout", Exit::PluginFailed),
    ] {
        let (ended, ..) = ran(vec![(status, problem(code))], &["destination", "a", "show"]);
        let failure = ended.unwrap_err();
        assert_eq!(failure.exit(), exit, "{code}");
        assert!(format!("{failure:?}").contains("no [2J; /n: is missing"), "{failure:?}");
    }
}

#[test]
fn a_gateway_that_is_not_there_is_unreachable() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "planted-key").unwrap();
    // Port 1 of this machine: nobody listens there.
    let flags = ["--url", "http://u:planted-password@127.0.0.1:1/", "--key-file", key.to_str().unwrap()];
    let Cli::Destinations(args) =
        Cli::try_parse_from(["postroom", "destinations"].iter().chain(&flags)).unwrap()
    else {
        panic!()
    };
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let failure = list(&args, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap_err();
    assert_eq!(failure.exit(), Exit::Unreachable);
    assert!(!format!("{failure:?}").contains("planted"), "{failure:?}");
}
