use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::commands::testing::ran;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn asked(answers: Vec<(u16, Value)>, args: &[&str]) -> (Result<(), Failure>, String, Vec<String>) {
    ran(answers, &[&["events"], args].concat(), |cli: Cli, output| run(&cli.command, output))
}

fn event() -> Value {
    json!({
        "id": "0192f0c1", "received_at": "2026-11-22T08:00:01.125Z", "source": "acme", "kind": "monitor_run",
        "subject": "1e8e", "verdict": "failed", "monitor": { "id": "1e8e", "name": "Check\u{1b}[31m out" },
        "collection": { "id": "77aa" }, "labels": { "team": "payments", "tier": "1" },
        "content_type": "application/json", "body_bytes": 976,
    })
}

#[test]
fn events_are_a_table_and_every_filter_is_asked_for() {
    let list = json!({ "items": [event()], "next_cursor": "abc" });
    let args = [
        "list",
        "--kind",
        "monitor_run",
        "--source",
        "acme",
        "--label",
        "team=payments",
        "--subject",
        "1e8e",
        "--monitor",
        "m",
        "--collection",
        "c",
        "--text",
        "check out",
        "--after",
        "2026-11-22T06:00:00Z",
        "--before",
        "2026-11-23T06:00:00Z",
        "--limit",
        "1",
    ];
    let (ended, printed, asked) = asked(vec![(200, list)], &args);
    ended.unwrap();
    assert_eq!(
        asked,
        [
            "GET /api/v1/events?kind=monitor_run&source=acme&label=team%3Dpayments&subject=1e8e&monitor=m&collection=c\
          &text=check+out&received_after=2026-11-22T06%3A00%3A00Z&received_before=2026-11-23T06%3A00%3A00Z&limit=1"
        ]
    );
    insta::assert_snapshot!(printed, @"
RECEIVED              KIND         WHAT                        SOURCE  ID
2026-11-22T08:00:01Z  monitor_run  failed Check [31m out 77aa  acme    0192f0c1
there are more than these 1: see --limit
");
}

#[test]
fn a_list_that_was_cut_says_so_as_json_too() {
    let (ended, printed, _) = asked(
        vec![(200, json!({ "items": [{ "id": "1" }], "next_cursor": "abc" }))],
        &["list", "--limit", "1", "--json"],
    );
    ended.unwrap();
    let (list, said) = printed.split_at(printed.find("there are").unwrap());
    assert_eq!(
        serde_json::from_str::<Value>(list).unwrap(),
        json!({ "items": [{ "id": "1" }], "next_cursor": "abc" })
    );
    assert_eq!(said, "there are more than these 1: see --limit\n");
    let (ended, printed, _) = asked(vec![(200, json!({ "items": [] }))], &["list"]);
    ended.unwrap();
    assert_eq!(printed, "no event matches\n");
}

#[test]
fn one_event_says_where_it_went_and_why() {
    let mut whole = event();
    whole["deliveries"] = json!([
        { "id": "7", "destination": "itoc360", "state": "retrying", "attempts": 2, "route": "runs" }
    ]);
    whole["routes"] =
        json!([{ "name": "runs", "matched": true, "reasons": ["kinds: monitor_run is one of monitor_run"] }]);
    let (ended, printed, asked) = asked(vec![(200, whole)], &["show", "0192f0c1"]);
    ended.unwrap();
    assert_eq!(asked, ["GET /api/v1/events/0192f0c1"]);
    insta::assert_snapshot!(printed, @r#"
id            0192f0c1
received      2026-11-22T08:00:01.125Z
source        acme
kind          monitor_run
verdict       failed
subject       1e8e
monitor       Check [31m out
collection    77aa
labels        team=payments, tier=1
content type  application/json
body          976 bytes

DESTINATION  STATE     ATTEMPTS  ROUTE  DELIVERY
itoc360      retrying  2         runs   7

takes  route "runs"
       + kinds: monitor_run is one of monitor_run
"#);
}

#[test]
fn an_event_that_went_nowhere_says_what_each_route_had_against_it() {
    let mut whole = event();
    whole["deliveries"] = json!([]);
    whole["routes"] = json!([{ "name": "backups", "matched": false, "reasons": ["kinds: monitor_run is not one of collection_backup"] }]);
    let (ended, printed, _) = asked(vec![(200, whole)], &["show", "0192f0c1"]);
    ended.unwrap();
    let told = printed.split_once("\n\n").unwrap().1;
    assert_eq!(
        told,
        "it went nowhere\n\nleaves route \"backups\"\n       - kinds: monitor_run is not one of collection_backup\n"
    );
}

#[test]
fn a_body_goes_to_a_file_that_is_not_there_yet() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body.json");
    let to = ["body", "0192f0c1", "--to", file.to_str().unwrap()];
    let (ended, printed, asked_for) = asked(vec![(200, json!({ "a": 1 }))], &to);
    ended.unwrap();
    assert_eq!((printed.as_str(), &asked_for[0][..]), ("", "GET /api/v1/events/0192f0c1/body"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"a\":1}");
    let (ended, _, _) = asked(vec![], &to);
    let told = format!("{:?}", ended.unwrap_err());
    assert!(told.contains("body.json already") && told.contains("hint: Some"), "{told}");
    let nowhere = folder.path().join("none").join("body.json");
    let (ended, _, _) = asked(vec![], &["body", "0192f0c1", "--to", nowhere.to_str().unwrap()]);
    let told = format!("{:?}", ended.unwrap_err());
    assert!(told.contains("there is no folder") && told.contains("/none\""), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"a\":1}", "what was there stays");
    let (ended, printed, _) = asked(vec![(200, json!({ "a": 1 }))], &["body", "0192f0c1"]);
    ended.unwrap();
    assert_eq!(printed, "{\"a\":1}");
}

#[test]
fn what_is_not_there_has_an_exit_code_of_its_own() {
    let problem = json!({ "code": "not_found", "detail": "no such event" });
    let (ended, _, _) = asked(vec![(404, problem)], &["show", "0192f0c1"]);
    let failure = ended.unwrap_err();
    assert_eq!(failure.exit(), Exit::NotFound);
    let told = format!("{failure:?}");
    assert!(
        told.contains("no such event: events/0192f0c1") && told.contains("`postroom events list`"),
        "{told}"
    );
}
