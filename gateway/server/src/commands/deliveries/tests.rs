use clap::Parser;
use serde_json::{Value, json};

use super::*;
use crate::{command::Exit, commands::testing::ran};

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn asked(answers: Vec<(u16, Value)>, args: &[&str]) -> (Result<(), Failure>, String, Vec<String>) {
    ran(answers, &[&["deliveries"], args].concat(), |cli: Cli, output| run(&cli.command, output))
}

fn delivery() -> Value {
    json!({
        "id": "7", "event_id": "0192f0c1", "destination": "itoc360", "route": "runs", "lane": "monitor:1e8e",
        "state": "dead", "attempts_made": 2, "created_at": "2026-11-22T08:00:01.125Z",
        "finished_at": "2026-11-22T08:01:01.125Z",
        "last_outcome": { "kind": "permanent", "code": "http_400", "message": "the target\nanswered 400" },
    })
}

#[test]
fn deliveries_are_a_table_and_every_filter_is_asked_for() {
    let args = [
        "list",
        "--state",
        "dead",
        "--destination",
        "itoc360",
        "--event",
        "e",
        "--kind",
        "activity",
        "--source",
        "s",
        "--subject",
        "u",
        "--after",
        "2026-11-22T06:00:00Z",
        "--before",
        "2026-11-23T06:00:00Z",
        "--replay",
        "3",
    ];
    let (ended, printed, asked) = asked(vec![(200, json!({ "items": [delivery()] }))], &args);
    ended.unwrap();
    assert_eq!(
        asked,
        ["GET /api/v1/deliveries?state=dead&destination=itoc360&event_id=e&kind=activity&source=s&subject=u\
          &created_after=2026-11-22T06%3A00%3A00Z&created_before=2026-11-23T06%3A00%3A00Z&replay_id=3&limit=50"]
    );
    insta::assert_snapshot!(printed, @"
MADE                  DESTINATION  STATE  ATTEMPTS  LAST OUTCOME                                   EVENT     ID
2026-11-22T08:00:01Z  itoc360      dead   2         permanent (http_400: the target answered 400)  0192f0c1  7
");
}

#[test]
fn one_delivery_has_its_attempts() {
    let mut whole = delivery();
    whole["attempts"] = json!([{
        "number": 1, "started_at": "2026-11-22T08:00:01.200Z", "finished_at": "2026-11-22T08:00:01.300Z",
        "outcome": "retry", "code": "http_503", "record": { "status": 503 }
    }]);
    let (ended, printed, asked) = asked(vec![(200, whole)], &["show", "7"]);
    ended.unwrap();
    assert_eq!(asked, ["GET /api/v1/deliveries/7"]);
    insta::assert_snapshot!(printed, @r#"
id            7
event         0192f0c1
destination   itoc360
route         runs
lane          monitor:1e8e
state         dead
made          2026-11-22T08:00:01.125Z
finished      2026-11-22T08:01:01.125Z
last outcome  permanent (http_400: the target answered 400)

ATTEMPT  BEGAN                     ENDED                     OUTCOME           RECORD
1        2026-11-22T08:00:01.200Z  2026-11-22T08:00:01.300Z  retry (http_503)  {"status":503}
"#);
}

#[test]
fn one_is_retried_and_cancelled() {
    for act in ["retry", "cancel"] {
        let (ended, printed, asked) = asked(vec![(200, delivery())], &[act, "7"]);
        ended.unwrap();
        assert_eq!(asked, [format!("POST /api/v1/deliveries/7/{act}")]);
        assert!(printed.contains("itoc360"), "{printed}");
    }
    let conflict = json!({ "code": "conflict", "detail": "the delivery is delivered already" });
    let (ended, _, _) = asked(vec![(409, conflict)], &["cancel", "7"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::Failed);
}

#[test]
fn what_was_done_again_is_marked() {
    let mut repeated = delivery();
    repeated["replayed_by"] = json!("9");
    let (ended, printed, _) = asked(vec![(200, json!({ "items": [repeated] }))], &["list"]);
    ended.unwrap();
    assert!(printed.contains("  dead, repeated  "), "{printed}");
}

fn group(destination: &str, code: Option<&str>, hours: [u8; 2]) -> Value {
    let [from, to] = hours.map(|hour| format!("2026-11-22T{hour:02}:00:00Z"));
    json!({
        "destination": destination, "code": code, "message": "the target answered 400", "count": 3,
        "first_at": "2026-11-22T08:00:01.125Z", "last_at": "2026-11-22T08:10:01.125Z", "newest_delivery_id": "9",
        "filter": { "state": "dead", "destination": destination, "created_after": from, "created_before": to },
    })
}

#[test]
fn dead_letters_are_groups_each_with_the_command_that_makes_it_go_again() {
    let groups = [
        group("itoc360", Some("http_400"), [6, 9]),
        group("itoc360", None, [8, 10]),
        group("itoc360", Some("late"), [10, 12]),
        group("my mail", Some("http_400"), [6, 9]),
    ];
    let (ended, printed, asked) = asked(vec![(200, json!({ "items": groups, "is_more": true }))], &["dead"]);
    ended.unwrap();
    assert_eq!(asked, ["GET /api/v1/dead-letters"]);
    insta::assert_snapshot!(printed, @"
DESTINATION  COUNT  CODE      MESSAGE                  LAST                  NEWEST
itoc360      3      http_400  the target answered 400  2026-11-22T08:10:01Z  9
itoc360      3                the target answered 400  2026-11-22T08:10:01Z  9
itoc360      3      late      the target answered 400  2026-11-22T08:10:01Z  9
my mail      3      http_400  the target answered 400  2026-11-22T08:10:01Z  9
itoc360, http_400: postroom replay create --state dead --destination itoc360 --after 2026-11-22T06:00:00Z --before 2026-11-22T09:00:00Z
    it takes those with no code too
itoc360, no code: postroom replay create --state dead --destination itoc360 --after 2026-11-22T08:00:00Z --before 2026-11-22T10:00:00Z
    it takes those with http_400 too
itoc360, late: postroom replay create --state dead --destination itoc360 --after 2026-11-22T10:00:00Z --before 2026-11-22T12:00:00Z
my mail, http_400: postroom replay create --state dead --destination 'my mail' --after 2026-11-22T06:00:00Z --before 2026-11-22T09:00:00Z
there are more: only the newest were looked at
");
}
