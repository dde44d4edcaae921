use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::{command::Exit, commands::testing::gateway, output::Colour};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Runs a command against a gateway with these answers; gives how it ended, what it printed, and what was asked.
fn ran(answers: Vec<(u16, Value)>, args: &[&str]) -> (Result<(), Failure>, String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(answers);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let cli = Cli::try_parse_from(["incidents"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let ended = run(&cli.command, &mut output);
    (ended, String::from_utf8([data, talk].concat()).unwrap(), answering.join().unwrap())
}

fn resolved() -> Value {
    let run = |second: u8| json!({ "event_id": format!("event-{second}"), "at": format!("2026-11-22T08:00:0{second}.125Z") });
    json!({
        "id": "0192f0c1", "monitor_uid": "1e8eea47", "monitor_name": "Checkout", "state": "resolved",
        "severity": "error", "opened_at": "2026-11-22T08:00:01.125Z", "resolved_at": "2026-11-22T09:01:05.125Z",
        "duration_s": 3664, "runs": 3, "failed_runs": 2, "first_failing": run(1), "last_failing": run(2),
        "resolved_by": run(5), "reminders": 1, "announced": true,
        "timeline": [
            { "at": "2026-11-22T08:00:01.125Z", "what": "opened", "event_id": "event-7" },
            { "at": "2026-11-22T09:01:05.125Z", "what": "resolved", "event_id": "event-8", "note": "by a\nrun" },
        ],
    })
}

fn not_found() -> (u16, Value) {
    (404, json!({ "code": "not_found", "detail": "there is no such thing" }))
}

fn open() -> Value {
    json!({
        "id": "0192f0c2", "monitor_uid": "77aa", "state": "open", "severity": "critical",
        "opened_at": "2026-11-22T08:00:01.125Z", "runs": 1, "failed_runs": 1, "reminders": 0, "announced": false,
    })
}

#[test]
fn incidents_are_a_table() {
    let list = json!({ "items": [open(), resolved()], "next_cursor": "abc" });
    let (ended, printed, asked) = ran(vec![(200, list)], &["list", "--state", "open", "--limit", "2"]);
    ended.unwrap();
    assert_eq!(asked, ["GET /api/v1/incidents?state=open&limit=2"]);
    insta::assert_snapshot!(printed, @"
OPENED                LASTED      SEVERITY  FAILED       MONITOR   ID
2026-11-22T08:00:01Z  still open  critical  1 of 1 runs  77aa      0192f0c2
2026-11-22T08:00:01Z  1h 1m       error     2 of 3 runs  Checkout  0192f0c1
there are more than these 2: see --limit
");
}

#[test]
fn one_incident_is_shown_with_its_timeline() {
    let (ended, printed, _) = ran(vec![(200, resolved())], &["show", "0192f0c1"]);
    ended.unwrap();
    insta::assert_snapshot!(printed, @"
id           0192f0c1
monitor      Checkout (1e8eea47)
state        resolved
severity     error
opened       2026-11-22T08:00:01Z
resolved     2026-11-22T09:01:05Z
lasted       1h 1m
failed       2 of 3 runs
first run    2026-11-22T08:00:01Z (event event-1)
last run     2026-11-22T08:00:02Z (event event-2)
resolved by  2026-11-22T08:00:05Z (event event-5)

AT                    WHAT      NOTE      EVENT
2026-11-22T08:00:01Z  opened              event-7
2026-11-22T09:01:05Z  resolved  by a run  event-8
");
    let (ended, printed, _) = ran(vec![(200, resolved())], &["show", "0192f0c1", "--json"]);
    ended.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), resolved());
}

#[test]
fn an_incident_that_is_not_there_is_not_found() {
    let (ended, ..) = ran(vec![not_found()], &["show", "x"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::NotFound);
}

#[test]
fn the_monitor_of_incidents_is_found_by_its_name() {
    let page = |items: Value| (200, json!({ "items": items }));
    let checkout = json!([{ "uid": "1e8e/47", "name": "Checkout smoke test" }]);
    let list = &["list", "--monitor", "checkout"];
    let (ended, _, asked) = ran(vec![not_found(), page(checkout), page(json!([resolved()]))], list);
    ended.unwrap();
    assert_eq!(asked[2], "GET /api/v1/incidents?monitor=1e8e%2F47&limit=50");
    let (ended, ..) = ran(vec![not_found(), page(json!([]))], list);
    assert_eq!(ended.unwrap_err().exit(), Exit::NotFound, "not a list of no incidents");
}

#[test]
fn an_incident_that_nobody_was_told_of_says_no_more_than_that() {
    // Why stands in its timeline: muted, long ago, or in maintenance.
    let (ended, printed, _) = ran(vec![(200, open())], &["show", "0192f0c2"]);
    ended.unwrap();
    assert!(printed.contains("\ntold         nobody\n"), "{printed}");
}
