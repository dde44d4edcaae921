use std::time::Duration;

use postroom_core::{
    id::SourceName,
    monitor::{Flap, Identity, Policy, Severity, SeverityRule, SeverityWhen, Silence, Treat},
    schedule::Schedule,
};

use super::Tracker;
use crate::config::tests::{check, faults_of, good};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn tracker(text: &str) -> Tracker {
    good(text).tracker
}

fn monitor(name: &str, uid: &str) -> Identity {
    Identity {
        uid: uid.to_owned(),
        name: Some(name.to_owned()),
        collection_name: Some("Checkout".to_owned()),
        collection_id: Some("c-1".to_owned()),
        environment_name: Some("Production".to_owned()),
        environment_id: None,
        source: SourceName::new("postman"),
        labels: [("team".to_owned(), "payments".to_owned())].into(),
    }
}

#[test]
fn every_setting_of_the_policy_can_be_set_for_all_monitors() {
    let tracker = tracker(
        r#"[tracker]
history = "400 days"
open_after = 3
resolve_after = 2
remind_every = "4h"
flap = { changes = 4, of = 10 }
empty_runs = "ignore"
unknown_runs = "fail"
silence = "26h"
maintenance = { windows = ["sun 02:00-04:00"], time_zone = "Europe/Berlin" }
slo = 99.9
severity = [
    { severity = "critical", errors_at_least = 1, latency_mean_ms_at_least = 2000 },
    { severity = "warning", failed_share_at_least = 0.1, failed_tests_at_least = 2 },
]
"#,
    );
    assert_eq!(tracker.history, Some(400 * 24 * HOUR));
    let rule = |severity, when| SeverityRule { severity, when };
    let expected = Policy {
        open_after: 3,
        resolve_after: 2,
        remind_every: Some(4 * HOUR),
        flap: Some(Flap { changes: 4, of: 10 }),
        empty_runs: Treat::Ignore,
        unknown_runs: Treat::Fail,
        severity: [
            rule(
                Severity::Critical,
                SeverityWhen {
                    errors_at_least: Some(1),
                    latency_mean_ms_at_least: Some(2000.0),
                    ..SeverityWhen::default()
                },
            ),
            rule(
                Severity::Warning,
                SeverityWhen {
                    failed_share_at_least: Some(0.1),
                    failed_tests_at_least: Some(2),
                    ..SeverityWhen::default()
                },
            ),
        ]
        .into(),
        silence: Silence::After(26 * HOUR),
        maintenance: Some(Schedule::parse(&["sun 02:00-04:00"], "Europe/Berlin").unwrap().into()),
        slo: Some(0.999),
    };
    assert_eq!(tracker.rules.policy(&monitor("any", "1")), expected);
}

#[test]
fn a_rule_holds_for_the_monitors_that_it_names_and_the_later_one_wins() {
    let tracker = tracker(
        r#"[tracker]
open_after = 2
slo = 99
[[tracker.rule]]
monitor = "Checkout *"
open_after = 3
resolve_after = 4
[[tracker.rule]]
monitor = ["uid-*", "Nobody"]
collection = "Check*"
environment = ["Prod*"]
labels = { team = "pay*" }
open_after = 5
slo = "off"
[[tracker.rule]]
collection = "Other"
open_after = 6
"#,
    );
    let of = |name: &str, uid: &str| {
        let policy = tracker.rules.policy(&monitor(name, uid));
        (policy.open_after, policy.resolve_after, policy.slo)
    };
    assert_eq!(of("Login", "1"), (2, 1, Some(0.99)));
    assert_eq!(of("Checkout smoke", "1"), (3, 4, Some(0.99)));
    assert_eq!(of("Login", "uid-1"), (5, 1, None));
    assert_eq!(of("Checkout smoke", "uid-1"), (5, 4, None));
}

#[test]
fn what_is_turned_on_for_all_can_be_turned_off_for_some() {
    let tracker = tracker(
        r#"[tracker]
remind_every = "1h"
flap = { changes = 2, of = 2 }
maintenance = { windows = ["00:00-01:00"] }
slo = 100
[[tracker.rule]]
monitor = "quiet"
remind_every = "off"
flap = "off"
maintenance = "off"
slo = "off"
silence = "never"
"#,
    );
    let quiet = Policy { silence: Silence::Never, ..Policy::default() };
    assert_eq!(tracker.rules.policy(&monitor("quiet", "1")), quiet);
    let loud = tracker.rules.policy(&monitor("loud", "1"));
    assert!(loud.remind_every.is_some() && loud.flap.is_some() && loud.maintenance.is_some());
}

#[test]
fn backups_and_enrichment_are_read() {
    let tracker = tracker(
        r#"[tracker]
enabled = false
history = "forever"
metrics_monitors_max = 0
[[tracker.backup]]
collection = ["Checkout*", "c-1"]
overdue_after = "8d"
[tracker.enrich]
api_key = "PMAK-0123456789abcdef"
base_url = "http://127.0.0.1:8080/"
wait = "0s"
"#,
    );
    assert_eq!((tracker.enabled, tracker.history, tracker.metrics_monitors_max), (false, None, 0));
    assert_eq!(tracker.backups[0].overdue_after, 8 * 24 * HOUR);
    assert_eq!(tracker.backups[0].collection.len(), 2);
    let enrich = tracker.enrich.unwrap();
    assert_eq!((enrich.base_url.as_str(), enrich.wait), ("http://127.0.0.1:8080", Duration::ZERO));
    assert!(!format!("{enrich:?}").contains("PMAK"), "the key is a secret");
}

#[test]
fn all_faults_are_told_at_once_each_at_its_place() {
    let found = faults_of(
        r#"[tracker]
open_afer = 2
history = "soon"
open_after = 0
remind_every = "59s"
flap = { changes = 9, of = 3 }
empty_runs = "pass"
unknown_runs = "as_reported"
silence = "lerned"
slo = 101
maintenance = { windows = ["someday 02:00-04:00"], timezone = "UTC" }
severity = [{ severity = "eror" }, { errors_at_least = 1 }]
[[tracker.rule]]
monitor = ["a["]
collection = 5
environment = []
[[tracker.rule]]
monitors = "x"
resolve_after = 2
[[tracker.backup]]
collection = "x"
[tracker.enrich]
base_url = "postman"
wait = "2m"
"#,
    );
    insta::assert_snapshot!(found, @r#"
postroom.toml:2: tracker.open_afer: unknown key
    hint: did you mean "open_after"?
postroom.toml:3: tracker.history: not an age of at least a second
    hint: like "90d" or "12h", or "forever"
postroom.toml:4: tracker.open_after: the number is out of range
    hint: from 1 to 1000
postroom.toml:5: tracker.remind_every: not a duration of at least a minute
    hint: at least "1m", like "4h"; or "off"
postroom.toml:6: tracker.flap: the verdict cannot turn more often than there are runs
    hint: make `of` larger than `changes`
postroom.toml:7: tracker.empty_runs: unknown treatment of empty runs "pass"
    hint: known here: as_reported, ignore, fail
postroom.toml:8: tracker.unknown_runs: unknown treatment of unknown runs "as_reported"
    hint: known here: ignore, fail
postroom.toml:9: tracker.silence: not "learned", "never" or a duration of at least a second
    hint: like "26h"
postroom.toml:10: tracker.slo: the number is out of range
    hint: from 0 to 100; 99.9 for 99.9 % of the runs, or "off"
postroom.toml:11: tracker.maintenance.windows[0]: `someday` in `someday 02:00-04:00` is not a day: write mon, tue, wed, thu, fri, sat or sun
postroom.toml:11: tracker.maintenance.timezone: unknown key
    hint: did you mean "time_zone"?
postroom.toml:12: tracker.severity[0].severity: unknown severity "eror"
    hint: did you mean "error"?
postroom.toml:12: tracker.severity[1].severity: missing
    hint: like { severity = "critical", errors_at_least = 1 }
postroom.toml:13: tracker.rule[0]: a rule without settings
    hint: say what holds for these monitors, like open_after = 3
postroom.toml:14: tracker.rule[0].monitor[0]: "a[" is not a pattern: unclosed character class; missing ']'
    hint: put a backslash before * ? [ { to mean the character itself
postroom.toml:15: tracker.rule[0].collection: expected a list, found an integer
    hint: put it in brackets: [ … ]
postroom.toml:16: tracker.rule[0].environment: the list is empty
    hint: leave the setting out, or name at least one
postroom.toml:18: tracker.rule[1].monitors: unknown key
    hint: did you mean "monitor"?
postroom.toml:20: tracker.backup[0].overdue_after: missing
    hint: like overdue_after = "8d"
postroom.toml:22: tracker.enrich.api_key: missing
    hint: like api_key = { env = "POSTMAN_API_KEY" }
postroom.toml:23: tracker.enrich.base_url: not an http or https URL without query
    hint: like "https://api.getpostman.com"
postroom.toml:24: tracker.enrich.wait: not a duration of at most a minute
    hint: like "3s"; "0s" asks nobody
"#);
}

#[test]
fn wrong_forms_name_what_is_expected() {
    check(
        "[tracker]\nslo = \"99.9\"",
        "2: tracker.slo: expected a number, found a string",
        "99.9 for 99.9 % of the runs",
    );
    check(
        "[tracker]\nsilence = 26",
        "2: tracker.silence: expected \"learned\", \"never\" or a duration of at least a second, found an integer",
        "26h",
    );
    check("[tracker]\nflap = true", "2: tracker.flap: expected a table, found a boolean", "braces");
    check("[tracker]\nseverity = {}", "2: tracker.severity: expected a list, found a table", "brackets");
    check(
        "[tracker.rule]\nopen_after = 2",
        "1: tracker.rule: expected a list of tables, found a table",
        "[[",
    );
    check("[[tracker.rule]]\nmonitor = \"x\"", "1: tracker.rule[0]: a rule without settings", "open_after");
    check(
        "[[tracker.rule]]\nmonitor = \"x\"\nhistory = \"1d\"\nslo = 1",
        "3: tracker.rule[0].history: unknown key",
        "known here",
    );
}

#[test]
fn routes_take_the_kinds_that_are_told_and_name_the_nearest_of_a_slip() {
    let route = |kind: &str| {
        format!(
            "[[destination]]\nname = \"d\"\nplugin = \"p\"\n[[route]]\nname = \"r\"\nkinds = [\"{kind}\"]\nto = [\"d\"]"
        )
    };
    for kind in [
        "incident_opened",
        "incident_reminder",
        "incident_resolved",
        "monitor_silent",
        "monitor_resumed",
        "backup_overdue",
    ] {
        let config = good(&route(kind));
        assert_eq!(config.routes[0].conditions.kinds[0].as_str(), kind);
        assert!(config.named_kinds.is_empty(), "no plugin has to make it");
    }
    check(
        &route("incident_open"),
        "6: route[0].kinds[0]: unknown kind \"incident_open\"",
        "did you mean \"incident_opened\"?",
    );
}

#[test]
fn a_key_that_no_header_can_hold_is_a_fault() {
    check(
        "[tracker.enrich]\napi_key = \"PMAK-0123\\n456789abcdef\"",
        "2: tracker.enrich.api_key: the key holds characters that no header can hold",
        "as one line",
    );
}

#[test]
fn a_minute_is_the_shortest_time_between_reminders() {
    let policy = tracker("[tracker]\nremind_every = \"1m\"").rules.policy(&monitor("any", "1"));
    assert_eq!(policy.remind_every, Some(Duration::from_secs(60)));
    check(
        "[tracker]\nremind_every = \"30s\"",
        "2: tracker.remind_every: not a duration of at least a minute",
        "at least \"1m\"",
    );
}
