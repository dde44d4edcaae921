use clap::Parser;
use postroom_core::time::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    command::Exit,
    commands::testing::gateway,
    output::{Colour, Screen},
};

mod charts;

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
    let cli = Cli::try_parse_from(["monitors"].iter().chain(args).chain(&flags)).unwrap();
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let screen = Screen { width: 60, unicode: true, ..Screen::default() };
    let mut output = Output::new(&mut data, &mut talk, Colour::default()).on(screen);
    let ended = match &cli.command {
        Command::Show(args) => show(args, &now(), &mut output),
        command => run(command, &mut output),
    };
    (ended, String::from_utf8([data, talk].concat()).unwrap(), answering.join().unwrap())
}

/// 2026-11-22T08:00:00Z.
fn now() -> Clock {
    Clock::new(|| Timestamp::from_unix_ms(1_795_334_400_000))
}

#[track_caller]
fn printed(answers: Vec<(u16, Value)>, args: &[&str]) -> String {
    let (ended, printed, _) = ran(answers, args);
    ended.unwrap();
    printed
}

fn checkout() -> Value {
    json!({
        "uid": "1e8eea47-8a24", "name": "Checkout smoke test", "last_verdict": "failed",
        "last_run_at": "2026-11-22T07:58:00.125Z", "silent": false, "phase": "open", "failures_in_row": 2,
        "passes_in_row": 0, "counts": { "passed": 8611, "failed": 9, "unknown": 0 },
        "first_seen_at": "2026-10-22T08:00:00.000Z", "source": "postman", "labels": { "team": "payments" },
        "notification_policy": "every_run", "expected_every_s": 300,
        "incident": {
            "id": "0192f0c1-2b7e", "opened_at": "2026-11-22T07:53:00.125Z", "severity": "error", "runs": 2,
            "failed_runs": 2,
        },
        "collection": { "id": "5c4b1c9a", "name": "Checkout" }, "environment": { "name": "Production" },
        "last_run": {
            "at": "2026-11-22T07:58:00.125Z", "event_id": "0192f0c1", "verdict": "failed", "failed_tests": 1,
            "passed_tests": 11, "errors": 0, "requests": 4, "latency_mean_ms": 180.5,
        },
        "slo": {
            "target": 0.999, "since": "2026-10-23T08:00:00.000Z", "runs": 8620, "failed": 9,
            "availability": 0.998_956, "budget_runs": 8.62, "budget_left": -0.044_084,
        },
    })
}

fn login() -> Value {
    json!({
        "uid": "77aa", "name": "Login\u{1b}[31m", "last_verdict": "passed", "last_run_at": "2026-11-21T08:00:00.000Z",
        "silent": true, "silent_since": "2026-11-21T08:00:00.000Z", "phase": "ok", "failures_in_row": 0,
        "passes_in_row": 12, "counts": { "passed": 12, "failed": 0, "unknown": 3 },
        "first_seen_at": "2026-10-22T08:00:00.000Z", "source": "postman", "labels": {},
        "notification_policy": "failures_then_success", "hint": "choose another policy",
        "mute": { "until": "2026-11-22T10:00:00.000Z", "by": "olga", "reason": "moving" },
        "maintenance_until": "2026-11-22T09:00:00.000Z",
    })
}

fn page(items: Vec<Value>) -> Value {
    json!({ "items": items })
}

fn not_found() -> (u16, Value) {
    (404, json!({ "code": "not_found", "detail": "no such monitor" }))
}

#[test]
fn monitors_are_a_table_that_says_how_each_stands() {
    let mut failing = checkout();
    failing["phase"] = json!("failing");
    failing.as_object_mut().unwrap().remove("incident");
    let list = page(vec![checkout(), failing, login()]);
    insta::assert_snapshot!(printed(vec![(200, list)], &["list"]), @"
NAME                 LAST    AT                    STATE                       ID
Checkout smoke test  failed  2026-11-22T07:58:00Z  incident (error)            1e8eea47-8a24
Checkout smoke test  failed  2026-11-22T07:58:00Z  failing (2 in a row)        1e8eea47-8a24
Login [31m           passed  2026-11-21T08:00:00Z  silent, muted, maintenance  77aa
");
}

#[test]
fn filters_are_passed_on_and_pages_are_followed() {
    let first = json!({ "items": [checkout()], "next_cursor": "abc" });
    let second = json!({ "items": [login()], "next_cursor": "def" });
    let args = [
        "list",
        "--text",
        "a b",
        "--verdict",
        "failed",
        "--silent",
        "--incident",
        "--muted",
        "--source",
        "s",
        "--label",
        "team=x",
        "--limit",
        "2",
    ];
    let (ended, printed, asked) = ran(vec![(200, first), (200, second)], &args);
    ended.unwrap();
    let filter = "text=a+b&verdict=failed&silent=true&incident=open&muted=true&source=s&label=team%3Dx";
    assert_eq!(
        asked,
        [
            format!("GET /api/v1/monitors?{filter}&limit=2"),
            format!("GET /api/v1/monitors?{filter}&limit=1&cursor=abc"),
        ]
    );
    assert!(printed.ends_with("there are more than these 2: see --limit\n"), "{printed}");
}

#[test]
fn json_is_what_the_gateway_said() {
    let printed = printed(vec![(200, page(vec![checkout()]))], &["list", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), page(vec![checkout()]));
}

#[test]
fn a_monitor_is_found_by_its_name_or_a_clear_beginning() {
    let mute = |wanted: &str, similar: Vec<Value>| {
        let answers = vec![not_found(), (200, page(similar)), (200, checkout())];
        let (ended, _, asked) = ran(answers, &["mute", wanted, "--for", "2h", "--reason", "deploy"]);
        ended.unwrap();
        asked
    };
    let checkout_too = json!({ "uid": "ffff", "name": "Not the checkout smoke test" });
    for wanted in ["checkout Smoke test", "Checkout", "1e8e"] {
        let asked = mute(wanted, vec![checkout_too.clone(), checkout()]);
        assert_eq!(asked[2], r#"POST /api/v1/monitors/1e8eea47-8a24/mute {"for_s":7200,"reason":"deploy"}"#);
    }
    // A whole name is clear, even if others begin with it.
    let longer = json!({ "uid": "ffff", "name": "Checkout smoke test 2" });
    mute("Checkout smoke test", vec![longer, checkout()]);
}

#[test]
fn a_name_that_is_not_clear_comes_with_the_candidates() {
    let other = json!({ "uid": "ffff", "name": "Checkout\nload test" });
    let (ended, _, asked) =
        ran(vec![not_found(), (200, page(vec![checkout(), other]))], &["unmute", "check"]);
    let failure = ended.unwrap_err();
    assert_eq!((failure.exit(), asked.len()), (Exit::NotFound, 2));
    insta::assert_snapshot!(format!("{failure:?}").replace("\\n", "\n"), @r#"
Failure { exit: NotFound, what: Message("\"check\" can mean several monitors, or is a part of a name only"), hint: Some("write the id of one:
      1e8eea47-8a24  Checkout smoke test
      ffff  Checkout load test") }
"#);

    let (ended, ..) = ran(vec![not_found(), (200, page(vec![]))], &["show", "nobody"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::NotFound);
}

#[test]
fn mutes_are_set_until_a_moment_and_ended() {
    let (ended, printed, asked) =
        ran(vec![(200, login()), (200, login())], &["mute", "77aa", "--until", "2026-11-23T06:00:00+01:00"]);
    ended.unwrap();
    assert_eq!(asked[1], r#"POST /api/v1/monitors/77aa/mute {"until":"2026-11-23T06:00:00+01:00"}"#);
    assert!(printed.contains("muted"), "{printed}");
    let (ended, _, asked) = ran(vec![(200, login()), (200, login())], &["unmute", "77aa"]);
    ended.unwrap();
    assert_eq!(asked[1], "DELETE /api/v1/monitors/77aa/mute");
    let refused = (403, json!({ "code": "forbidden", "detail": "this API key may only read" }));
    let (ended, ..) = ran(vec![(200, login()), refused], &["unmute", "77aa"]);
    assert_eq!(ended.unwrap_err().exit(), Exit::Refused);
}

#[test]
fn a_monitor_is_forgotten_by_its_whole_id_alone() {
    let gone = json!({ "uid": "77aa", "name": "Login", "runs": 15, "resolved_incident": "0192f0c1", "was_silent": true });
    let (ended, printed, asked) = ran(vec![(200, gone.clone())], &["forget", "77aa"]);
    ended.unwrap();
    assert_eq!(asked, ["DELETE /api/v1/monitors/77aa"]);
    insta::assert_snapshot!(printed, @r"
    forgot Login with 15 runs
    its incident 0192f0c1 is resolved
    its silence is over
    ");
    let (ended, printed, _) = ran(vec![(200, gone.clone())], &["forget", "77aa", "--json"]);
    ended.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&printed).unwrap(), gone);
    let (ended, ..) = ran(vec![not_found()], &["forget", "Login"]);
    let told = format!("{:?}", ended.unwrap_err());
    assert!(told.contains("monitors/Login") && told.contains("whole id"), "{told}");
    let (ended, _, asked) = ran(vec![not_found()], &["forget", "Login"]);
    assert_eq!((ended.unwrap_err().exit(), asked.len()), (Exit::NotFound, 1), "nobody guesses what is meant");
    let (ended, ..) = ran(vec![], &["forget", " "]);
    assert_eq!(ended.unwrap_err().exit(), Exit::Usage);
}

#[test]
fn a_mute_says_how_long() {
    let refused = |args: &[&str]| Cli::try_parse_from(["monitors", "mute", "a"].iter().chain(args)).is_err();
    assert!(refused(&[]));
    assert!(refused(&["--for", "2h", "--until", "2026-11-23T06:00:00Z"]));
    assert!(
        refused(&["--for", "soon"])
            && refused(&["--for", "0s"])
            && !refused(&["--for", "365d"])
            && refused(&["--until", "tomorrow"])
    );
    let Err(error) = Cli::try_parse_from(["monitors", "mute", "a", "--for", "366d"]) else {
        panic!("too long")
    };
    assert!(error.to_string().contains("from a second to 365 days"), "{error}");
}

#[test]
fn runs_are_a_table_or_come_as_the_gateway_sends_them() {
    let run = checkout()["last_run"].clone();
    let unknown = json!({ "at": "2026-11-22T07:53:00.000Z", "event_id": "0192f0c0", "verdict": "unknown" });
    let runs = page(vec![run, unknown]);
    insta::assert_snapshot!(printed(vec![(200, checkout()), (200, runs)], &["runs", "1e8eea47-8a24"]), @"
AT                    VERDICT  REQUESTS  MEAN MS  FAILED TESTS  ERRORS  EVENT
2026-11-22T07:58:00Z  failed   4         180      1             0       0192f0c1
2026-11-22T07:53:00Z  unknown  -         -        -             -       0192f0c0
");

    let sums = json!({ "resolution": "day", "buckets": [{
        "start": "2026-11-21T23:00:00.000Z", "runs": 288, "passed": 287, "failed": 1, "unknown": 0,
        "availability": 0.996_528, "latency_mean_ms": 172.25, "latency_p50_ms": 168.0, "latency_p95_ms": 240.5,
        "requests": 1152, "failed_tests": 1, "errors": 0,
    }]});
    let args = ["runs", "1e8eea47-8a24", "--resolution", "day", "--time-zone", "Europe/Berlin"];
    let (ended, printed, asked) = ran(vec![(200, checkout()), (200, sums)], &args);
    ended.unwrap();
    assert_eq!(asked[1], "GET /api/v1/monitors/1e8eea47-8a24/runs?resolution=day&time_zone=Europe%2FBerlin");
    insta::assert_snapshot!(printed, @"
FROM                  RUNS  FAILED  UNKNOWN  PASSED   MEAN MS  P50 MS  P95 MS
2026-11-21T23:00:00Z  288   1       0        99.65 %  172      168     240
");

    // The double writes JSON; what counts is that nothing was done to it.
    let args = ["runs", "1e8eea47-8a24", "--csv", "--since", "2026-11-22T00:00:00Z"];
    let (ended, printed, asked) = ran(vec![(200, checkout()), (200, json!("at,verdict"))], &args);
    ended.unwrap();
    assert_eq!(printed, "\"at,verdict\"");
    assert_eq!(asked[1], "GET /api/v1/monitors/1e8eea47-8a24/runs?since=2026-11-22T00%3A00%3A00Z&format=csv");
}
