use std::io::BufReader;

use clap::Parser;

use super::*;
use crate::commands::testing::ran;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

fn asked(
    answers: Vec<(u16, Value)>,
    person: Option<&'static str>,
    args: &[&str],
) -> (Result<(), Failure>, String, Vec<String>) {
    ran(answers, &[&["replay"], args].concat(), |cli: Cli, output| match person {
        None => run(&cli.command, output),
        Some(answer) => {
            let (mut data, mut talk, mut person) =
                (Vec::new(), Vec::new(), BufReader::new(answer.as_bytes()));
            let ended = {
                let mut asking =
                    Output::new(&mut data, &mut talk, crate::output::Colour::default()).asking(&mut person);
                run(&cli.command, &mut asking)
            };
            output.bytes(&[data, talk].concat()).unwrap();
            ended
        }
    })
}

fn counted() -> (u16, Value) {
    (200, json!({ "count": 3 }))
}

fn begun() -> (u16, Value) {
    (200, json!({ "id": "5", "count": 3 }))
}

const DRY: &str = "POST /api/v1/replays {\"filter\":{\"state\":\"dead\"},\"dry_run\":true}";
const REAL: &str = "POST /api/v1/replays {\"filter\":{\"state\":\"dead\"},\"dry_run\":false}";

#[test]
fn nothing_is_delivered_again_before_somebody_has_agreed() {
    let create = ["create", "--state", "dead"];
    let (ended, printed, seen) = asked(vec![counted(), begun()], Some("y\n"), &create);
    ended.unwrap();
    assert_eq!(seen, [DRY, REAL]);
    assert_eq!(printed, "replay 5 delivers 3 deliveries once more\ndeliver 3 deliveries once more? [y/N] ");

    let (ended, _, seen) = asked(vec![counted()], Some("no\n"), &create);
    assert_eq!((ended.unwrap_err().exit(), &seen[..]), (Exit::Failed, &[DRY.to_owned()][..]));
    let (ended, _, seen) = asked(vec![counted()], None, &create);
    assert_eq!((ended.unwrap_err().exit(), &seen[..]), (Exit::Usage, &[DRY.to_owned()][..]));
    let (ended, printed, seen) = asked(vec![counted()], None, &["create", "--state", "dead", "--dry-run"]);
    ended.unwrap();
    assert_eq!((&printed[..], &seen[..]), ("3 deliveries match\n", &[DRY.to_owned()][..]));
    let (ended, _, seen) = asked(vec![counted(), begun()], None, &["create", "--state", "dead", "--yes"]);
    ended.unwrap();
    assert_eq!(seen, [DRY, REAL]);
}

#[test]
fn where_nothing_matches_nothing_is_made() {
    for more in [&[][..], &["--yes"], &["--dry-run"]] {
        let none = vec![(200, json!({ "count": 0 }))];
        let (ended, printed, seen) = asked(none, None, &[&["create", "--state", "dead"], more].concat());
        ended.unwrap();
        assert_eq!((&printed[..], &seen[..]), ("nothing matches\n", &[DRY.to_owned()][..]), "{more:?}");
    }
    let json = ["create", "--state", "dead", "--yes", "--json"];
    let (ended, printed, seen) = asked(vec![(200, json!({ "count": 0 }))], None, &json);
    ended.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), json!({ "count": 0 }));
    assert_eq!(seen, [DRY]);
}

#[test]
fn replays_are_listed_shown_and_cancelled() {
    let replay = json!({
        "id": "5", "state": "running", "filter": { "state": "dead", "destination": "itoc360" }, "per_second": 50,
        "count": 3, "made": 2, "created_by": "me", "created_at": "2026-11-22T08:00:01.125Z",
    });
    let (ended, printed, seen) = asked(vec![(200, json!({ "items": [replay] }))], None, &["list"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/replays?limit=50"]);
    insta::assert_snapshot!(printed, @"
BEGAN                 STATE    MADE    BY  FILTER                           ID
2026-11-22T08:00:01Z  running  2 of 3  me  state=dead, destination=itoc360  5
");
    let mut whole = replay.clone();
    whole["progress"] = json!({ "waiting": 1, "delivered": 1, "dead": 0, "other": 0 });
    let (ended, printed, _) = asked(vec![(200, whole)], None, &["show", "5"]);
    ended.unwrap();
    insta::assert_snapshot!(printed, @"
id         5
state      running
filter     state=dead, destination=itoc360
by         me
began      2026-11-22T08:00:01.125Z
matched    3
made       2, 50 a second
waiting    1
delivered  1
dead       0
other      0
");
    let (ended, _, seen) = asked(vec![(200, replay)], None, &["cancel", "5"]);
    ended.unwrap();
    assert_eq!(seen, ["POST /api/v1/replays/5/cancel"]);
}
