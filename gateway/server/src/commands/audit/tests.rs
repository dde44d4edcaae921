use clap::Parser;
use serde_json::json;

use super::*;
use crate::{commands::testing::gateway, output::Colour};

#[derive(Debug, Parser)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// Runs the command against a gateway with this answer; gives what it printed, and what was asked.
fn ran(answer: Value, args: &[&str]) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "a-key-of-many-letters\n").unwrap();
    let (url, answering) = gateway(vec![(200, answer)]);
    let flags = ["--url", &url, "--key-file", key.to_str().unwrap()];
    let cli = Cli::try_parse_from(["audit"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    run(&cli.args, &mut Output::new(&mut data, &mut talk, Colour::default())).unwrap();
    (String::from_utf8([data, talk].concat()).unwrap(), answering.join().unwrap())
}

#[test]
fn changes_are_a_table_of_what_differs() {
    let entry = |who: &str, operation: &str, object: Value, before: Value, after: Value| {
        json!({
            "id": "1", "at": "2026-11-22T08:00:01.125Z", "who": who, "via": "api_key", "operation": operation,
            "object": object, "before": before, "after": after, "outcome": "done",
        })
    };
    let mut refused = entry("ci", "createKey", json!("keys/x"), Value::Null, Value::Null);
    (refused["outcome"], refused["code"]) = ("refused".into(), "forbidden".into());
    let gate = |gate: &str| json!({ "gate": gate });
    let answer = json!({ "items": [
        entry("me", "pauseDestination", json!("destinations/a"), gate("open"), json!({ "gate": "held", "paused_by": "me" })),
        entry("me", "pauseDestination", json!("destinations/a"), gate("held"), gate("held")),
        refused,
        entry("SIGHUP", "reloadConfiguration", Value::Null, json!({ "generation": 1 }), json!({ "generation": 2 })),
    ]});
    insta::assert_snapshot!(ran(answer, &[]).0, @"
    AT                    WHO     WHAT                 OF              OUTCOME              CHANGE
    2026-11-22T08:00:01Z  me      pauseDestination     destinations/a  done                 gate: open -> held, paused_by: me
    2026-11-22T08:00:01Z  me      pauseDestination     destinations/a  done
    2026-11-22T08:00:01Z  ci      createKey            keys/x          refused (forbidden)
    2026-11-22T08:00:01Z  SIGHUP  reloadConfiguration  -               done                 generation: 1 -> 2
    ");
}

#[test]
fn filters_are_passed_on() {
    let args = ["--who", "ci", "--operation", "createKey", "--since", "2026-11-22T00:00:00Z", "--limit", "2"];
    let (printed, asked) = ran(json!({ "items": [] }), &args);
    assert_eq!(printed, "no change matches\n");
    assert_eq!(
        asked,
        ["GET /api/v1/audit?who=ci&operation=createKey&since=2026-11-22T00%3A00%3A00Z&limit=2"]
    );
}
