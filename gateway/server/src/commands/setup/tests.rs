use clap::Parser;

use super::*;
use crate::commands::testing::ran;

#[derive(Debug, Parser)]
enum Cli {
    Sources(SourcesArgs),
    Routes(Plain),
    #[command(subcommand)]
    Config(ConfigCommand),
    Status(Plain),
}

fn asked(answers: Vec<(u16, Value)>, args: &[&str]) -> (Result<(), Failure>, String, Vec<String>) {
    ran(answers, &[&["postroom"], args].concat(), |cli: Cli, output| match cli {
        Cli::Sources(args) => sources(&args, output),
        Cli::Routes(plain) => routes(&plain, output),
        Cli::Config(command) => config(&command, output),
        Cli::Status(plain) => status(&plain, output),
    })
}

#[test]
fn sources_say_where_to_send_to() {
    let acme = json!({
        "name": "acme", "path": "/hooks/acme", "url": "https://hooks.example.com/hooks/acme", "tokens": 1,
        "body_bytes_max": 67_108_864, "labels": { "team": "payments" }, "accepted": 12, "repeated": 0,
    });
    let (ended, printed, seen) = asked(vec![(200, json!({ "items": [acme] }))], &["sources"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/sources"]);
    insta::assert_snapshot!(printed, @"
NAME  URL                                   ACCEPTED  LABELS
acme  https://hooks.example.com/hooks/acme  12        team=payments
");
    let mut one = acme;
    one["last_event"] = json!({ "id": "0192f0c1", "received_at": "2026-11-22T08:00:01.125Z" });
    let (ended, printed, seen) = asked(vec![(200, one)], &["sources", "acme"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/sources/acme"]);
    insta::assert_snapshot!(printed, @"
name        acme
url         https://hooks.example.com/hooks/acme?token=TOKEN
tokens      1
labels      team=payments
body limit  67108864 bytes
accepted    12 since the start
last event  2026-11-22T08:00:01Z (0192f0c1)
");
}

#[test]
fn routes_say_their_conditions() {
    let route = |position, name: &str, kinds: Value, labels: Value| {
        json!({
            "position": position, "name": name, "kinds": kinds, "sources": [], "labels": labels, "monitor": [],
            "collection": [], "environment": [], "verdict": [], "action": [], "model": [], "to": ["itoc360", "mail"],
        })
    };
    let mut first = route(1, "failing payments", json!(["monitor_run"]), json!({ "team": "pay*" }));
    first["when"] = json!("run.failed > 3");
    let list = json!({ "items": [first, route(2, "rest", json!([]), json!({}))] });
    let (ended, printed, seen) = asked(vec![(200, list)], &["routes"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/routes"]);
    insta::assert_snapshot!(printed, @"
#  NAME              CONDITIONS                                                   TO
1  failing payments  kinds: monitor_run; labels: team=pay*; when: run.failed > 3  itoc360, mail
2  rest              everything that comes in                                     itoc360, mail
");
}

#[test]
fn settings_say_where_they_come_from() {
    let setting = |path: &str, value: &str, origin: &str, needs_restart: bool| json!({ "path": path, "value": value, "origin": origin, "needs_restart": needs_restart });
    let mut listen = setting("server.listen", "\"0.0.0.0:8080\"", "environment", false);
    listen["variable"] = json!("POSTROOM_SERVER_LISTEN");
    let mut events = setting("retention.events", "\"90d\"", "file", true);
    events["line"] = json!(12);
    let settings = [listen, events, setting("retention.size", "\"50 GiB\"", "default", false)];
    let config = json!({ "generation": 2, "fingerprint": "0123", "file": "p.toml", "settings": settings });
    let (ended, printed, seen) = asked(vec![(200, config.clone())], &["config", "show"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/config"]);
    insta::assert_snapshot!(printed, @r#"
SETTING           VALUE           FROM
server.listen     "0.0.0.0:8080"  $POSTROOM_SERVER_LISTEN
retention.events  "90d"           line 12; the file has another by now
retention.size    "50 GiB"        default
"#);
    let (_, printed, _) = asked(vec![(200, config)], &["config", "show", "retention"]);
    assert!(!printed.contains("server.listen"), "{printed}");
}

#[test]
fn a_file_with_faults_is_told_line_by_line_and_has_its_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("p.toml");
    std::fs::write(&file, "[server]\n").unwrap();
    let file = file.to_str().unwrap();
    let fault = json!({ "path": "server.listn", "line": 2, "column": 1, "message": "unknown key", "hint": "did you mean \"listen\"?" });
    let check = json!({ "valid": false, "faults": [fault] });
    let (ended, printed, seen) = asked(vec![(200, check)], &["config", "validate", file]);
    assert_eq!(ended.unwrap_err().exit(), Exit::Config);
    assert_eq!(seen, ["POST /api/v1/config/validate {\"toml\":\"[server]\\n\"}"]);
    assert_eq!(printed, format!("{file}:2: server.listn: unknown key\n    hint: did you mean \"listen\"?\n"));
    let (ended, printed, _) =
        asked(vec![(200, json!({ "valid": true, "faults": [] }))], &["config", "validate", file]);
    ended.unwrap();
    assert_eq!(printed, "no fault found; plugins were not asked, `postroom check` asks them\n");
}

#[test]
fn a_reload_says_what_it_has_changed() {
    let reload = json!({
        "generation": 3, "fingerprint": "0123", "reloaded": [], "rotated": [], "added": ["mail"], "removed": [],
        "unchanged": ["itoc360", "archive"], "applied": ["destination.mail"], "needs_restart": ["server.listen"],
    });
    let (ended, printed, seen) = asked(vec![(200, reload)], &["config", "reload"]);
    ended.unwrap();
    assert_eq!(seen, ["POST /api/v1/config/reload"]);
    insta::assert_snapshot!(printed, @"
configuration    3
applied          destination.mail
needs a restart  server.listen
added            mail
unchanged        itoc360, archive
");
}

#[test]
fn the_status_is_the_figures_in_words() {
    let stats = json!({
        "version": "0.1.0", "started_at": "2026-11-21T08:00:01.125Z", "uptime_s": 90_000, "generation": 2,
        "fingerprint": "0123456789abcdef",
        "events": {
            "oldest_at": "2026-09-21T08:00:01.125Z", "newest_at": "2026-11-22T08:00:01.125Z", "last_minute": 4,
            "last_hour": 240, "last_day": 5760, "since_start": [{ "kind": "monitor_run", "count": 5760 }]
        },
        "deliveries": {
            "waiting": 2, "oldest_waiting_at": "2026-11-22T07:59:01.125Z", "dead": 1, "dead_is_more": false,
            "destinations": [{
                "destination": "itoc360", "waiting": 2, "dead": 1,
                "since_start": [{ "state": "delivered", "count": 5757 }, { "state": "dead", "count": 1 }]
            }]
        },
        "store": { "database_bytes": 48_234_496, "blob_bytes": 0 },
    });
    let (ended, printed, seen) = asked(vec![(200, stats)], &["status"]);
    ended.unwrap();
    assert_eq!(seen, ["GET /api/v1/stats"]);
    insta::assert_snapshot!(printed, @"
version        0.1.0
running for    1d 1h
configuration  2, 0123456789abcdef
events         4 in the last minute, 240 in the last hour, 5760 in the last day
since start    5760 monitor_run
kept since     2026-09-21T08:00:01Z
waiting        2, the oldest since 2026-11-22T07:59:01Z
dead letters   1
database       46.0 MiB
large bodies   0.0 MiB

DESTINATION  WAITING  DEAD  SINCE START
itoc360      2        1     5757 delivered, 1 dead
");
}
