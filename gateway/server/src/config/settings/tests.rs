use std::{collections::BTreeSet, ffi::OsString, path::Path};

use postroom_host::{Manifest, PluginFile};

use super::*;
use crate::config::{DEFAULT_FILE, Overrides, Surroundings, parse, resolve::with_plugin};

/// The default file with every commented setting uncommented.
fn uncommented() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    DEFAULT_FILE.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

const ENV: [(&str, &str); 4] = [
    ("POSTROOM_API_KEY", "0123456789abcdef"),
    ("POSTMAN_TOKEN", "0123456789abcdef"),
    ("ITOC360_TOKEN", "x"),
    ("POSTMAN_API_KEY", "0123456789abcdef"),
];

fn settings_with(text: &str, env: &[(&str, &str)]) -> Settings {
    let lookup =
        |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let surroundings = Surroundings { env: &lookup, program_folder: None };
    let flags = Overrides::default();
    let draft = parse(text, Path::new("postroom.toml"), Path::new("/etc/postroom"), flags, &surroundings);
    let config = draft.finish().unwrap_or_else(|faults| panic!("{faults}"));
    let manifest = r#"{"manifest":1,"id":"any","name":"Any","version":"1.0.0","abi":"1.0","kinds":["*"]}"#;
    let manifest = Manifest::parse(manifest).unwrap();
    let plugin = PluginFile { path: "/lib/any.so".into(), manifest, size: 1, pin: None };
    let resolved: Vec<_> =
        config.destinations.iter().map(|destination| with_plugin(destination, &plugin, &config)).collect();
    Settings::of(&config, &resolved, |_| "as ever".to_owned())
}

fn settings(text: &str) -> Settings {
    settings_with(text, &ENV)
}

/// What becomes of a changed setting.
#[derive(Debug, PartialEq)]
enum Then {
    Live,
    Process,
    Restart,
}

use Then::{Live, Process, Restart};

/// Every setting of the default file with another value, or without one, and what a change of it is told as. A table that stands there
/// several times is looked at once for each of its settings.
const CHANGES: [(&str, &str, &str, Then); 77] = [
    ("server.listen", r#""127.0.0.1:9090""#, "server.listen", Restart),
    ("server.public_url", r#""https://other.example.com""#, "server.public_url", Live),
    ("server.drain", r#""31s""#, "server.drain", Restart),
    ("store.url", r#""sqlite:other.db""#, "store.url", Restart),
    ("retention.events", r#""91d""#, "retention.events", Restart),
    ("retention.dead_letters", r#""366d""#, "retention.dead_letters", Restart),
    ("retention.size", r#""51 GiB""#, "retention.size", Restart),
    ("retention.idempotency_keys", r#""8d""#, "retention.idempotency_keys", Restart),
    ("retention.replays", r#""91d""#, "retention.replays", Restart),
    ("retention.audit", r#""366d""#, "retention.audit", Restart),
    ("api.requests_per_second", "1001", "api.requests_per_second", Live),
    ("api.failures_per_minute", "31", "api.failures_per_minute", Live),
    ("plugins.path", r#"["elsewhere"]"#, "plugins.path", Live),
    ("plugins.watch", "true", "plugins.watch", Live),
    ("tracker.enabled", "false", "tracker.enabled", Live),
    ("tracker.history", r#""401d""#, "tracker.history", Restart),
    ("tracker.open_after", "3", "tracker.open_after", Live),
    ("tracker.resolve_after", "3", "tracker.resolve_after", Live),
    ("tracker.remind_every", r#""5h""#, "tracker.remind_every", Live),
    ("tracker.flap", "{ changes = 3, of = 9 }", "tracker.flap", Live),
    ("tracker.empty_runs", r#""fail""#, "tracker.empty_runs", Live),
    ("tracker.unknown_runs", r#""fail""#, "tracker.unknown_runs", Live),
    ("tracker.severity", "[]", "tracker.severity", Live),
    ("tracker.silence", r#""27h""#, "tracker.silence", Live),
    ("tracker.maintenance", r#"{ windows = ["sat 02:00-04:00"] }"#, "tracker.maintenance", Live),
    ("tracker.slo", "99", "tracker.slo", Live),
    ("tracker.metrics_monitors_max", "10", "tracker.metrics_monitors_max", Live),
    ("tracker.rule.monitor", r#""other""#, "tracker.rule[0].monitor", Live),
    ("tracker.rule.collection", r#"["other"]"#, "tracker.rule[0].collection", Live),
    ("tracker.rule.environment", r#""other""#, "tracker.rule[0].environment", Live),
    ("tracker.rule.labels", r#"{ team = "other" }"#, "tracker.rule[0].labels", Live),
    ("tracker.rule.open_after", "3", "tracker.rule[0].open_after", Live),
    ("tracker.rule.remind_every", r#""off""#, "tracker.rule[0].remind_every", Live),
    ("tracker.rule.maintenance", r#""off""#, "tracker.rule[0].maintenance", Live),
    ("tracker.rule.slo", "99.95", "tracker.rule[0].slo", Live),
    ("tracker.backup.collection", r#""other""#, "tracker.backup[0].collection", Live),
    ("tracker.backup.overdue_after", r#""9d""#, "tracker.backup[0].overdue_after", Live),
    ("tracker.enrich.api_key", r#""another, just as long""#, "tracker.enrich.api_key", Live),
    ("tracker.enrich.base_url", r#""http://127.0.0.1:1""#, "tracker.enrich.base_url", Live),
    ("tracker.enrich.wait", r#""4s""#, "tracker.enrich.wait", Live),
    ("api_key.name", r#""you""#, "api_key.you.key", Live),
    ("api_key.role", r#""viewer""#, "api_key.me.role", Live),
    ("api_key.key", r#""another, just as long""#, "api_key.me.key", Live),
    ("source.name", r#""other""#, "source.other.tokens", Live),
    ("source.tokens", r#"["another, just as long"]"#, "source.postman.tokens", Live),
    ("source.body_limit", r#""65 MiB""#, "source.postman.body_limit", Live),
    ("source.requests_per_second", "51", "source.postman.requests_per_second", Live),
    ("source.labels", r#"{ team = "other" }"#, "source.postman.labels", Live),
    ("destination.name", r#""copies""#, "destination.copies", Live),
    ("destination.plugin", r#""other""#, "destination.backups.plugin", Process),
    ("destination.sha256", DIGEST, "destination.backups.sha256", Process),
    ("destination.config", r#"{ storage = "s3" }"#, "destination.backups.config", Process),
    ("destination.retry", r#"["6s"]"#, "destination.backups.retry", Live),
    ("destination.concurrency", "9", "destination.backups.concurrency", Process),
    ("destination.deliveries_per_second", "11", "destination.backups.deliveries_per_second", Live),
    ("destination.schedule", r#"["mon 08:00-18:00"]"#, "destination.backups.schedule", Live),
    ("destination.timezone", r#""Europe/Berlin""#, "destination.backups.schedule", Live),
    ("destination.timeout", r#""61s""#, "destination.backups.timeout", Live),
    ("destination.timeout_max", r#""5m""#, "destination.backups.timeout_max", Live),
    ("destination.state", "{ keys = 1 }", "destination.backups.state", Process),
    ("destination.emit", "true", "destination.backups.emit", Process),
    ("destination.backlog", r#""latest""#, "destination.backups.backlog", Live),
    ("destination.sandbox", r#""required""#, "destination.backups.sandbox", Process),
    ("destination.grant.network", r#"["tcp:444"]"#, "destination.backups.grant", Process),
    ("destination.grant.folders", "[]", "destination.backups.grant", Process),
    ("destination.grant.memory", r#""513 MiB""#, "destination.backups.grant", Process),
    ("destination.grant.threads", "257", "destination.backups.grant", Process),
    ("route.name", r#""other""#, "route.other.to", Live),
    ("route.kinds", r#"["activity"]"#, "route.backups.kinds", Live),
    ("route.sources", "", "route.\"failing payments\".sources", Live),
    ("route.labels", r#"{ team = "other" }"#, "route.\"failing payments\".labels", Live),
    ("route.monitor", r#"["other"]"#, "route.\"failing payments\".monitor", Live),
    ("route.collection", r#"["other"]"#, "route.\"failing payments\".collection", Live),
    ("route.environment", r#"["other"]"#, "route.\"failing payments\".environment", Live),
    ("route.verdict", r#"["passed"]"#, "route.\"failing payments\".verdict", Live),
    ("route.when", r#""event.body_bytes < 1""#, "route.\"failing payments\".when", Live),
    ("route.to", r#"["itoc360"]"#, "route.backups.to", Live),
];

const DIGEST: &str = r#""aa86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08""#;

/// Those of CHANGES that stand in the third route.
const OF_EDITS: [(&str, &str, &str, Then); 2] = [
    ("route.action", r#"["create"]"#, "route.edits.action", Live),
    ("route.model", r#"["request"]"#, "route.edits.model", Live),
];

/// The settings of a file, each as `table.key`, with the number of its line.
fn listed(text: &str) -> Vec<(String, usize)> {
    let mut table = String::new();
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if let Some(header) = line.strip_prefix('[') {
            table = header.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.push((format!("{table}.{key}"), number));
        }
    }
    found
}

#[test]
fn every_setting_has_a_change() {
    let listed: BTreeSet<String> = listed(&uncommented()).into_iter().map(|(setting, _)| setting).collect();
    let tried: BTreeSet<String> =
        CHANGES.iter().chain(&OF_EDITS).map(|(setting, ..)| (*setting).to_owned()).collect();
    assert_eq!(listed, tried);
}

#[test]
fn a_change_of_any_setting_is_applied_or_named() {
    let text = uncommented();
    let before = settings(&text);
    assert_eq!(before.changes(&before), Changes::default());
    for (setting, value, path, then) in CHANGES.iter().chain(&OF_EDITS) {
        let (_, number) = listed(&text).into_iter().find(|(listed, _)| listed == setting).unwrap();
        let key = setting.rsplit('.').next().unwrap();
        let line = if value.is_empty() { String::new() } else { format!("{key} = {value}") };
        let changed = text.lines().enumerate().map(|(at, old)| if at == number { &line } else { old });
        let mut changed = changed.collect::<Vec<_>>().join("\n");
        // Routes go with the name.
        match *setting {
            "destination.name" => changed = changed.replace(r#"to = ["backups"]"#, r#"to = ["copies"]"#),
            "source.name" => changed = changed.replace(r#"sources = ["postman"]"#, r#"sources = ["other"]"#),
            _ => {}
        }
        let after = settings(&changed);
        let changes = before.changes(&after);
        let Changes { applied, needs_restart, reloaded, rotated, added, removed } = &changes;
        let told = if *then == Restart { needs_restart } else { applied };
        assert!(told.iter().any(|told| told == path), "{setting} is told as {changes:?}");
        assert_eq!(needs_restart.is_empty(), *then != Restart, "{setting}: {changes:?}");
        assert_eq!(reloaded.is_empty(), *then != Process, "{setting}: {changes:?}");
        assert!(rotated.is_empty(), "{setting}: {changes:?}");
        let is_name = *setting == "destination.name";
        assert_eq!((added.len(), removed.len()), (is_name.into(), is_name.into()), "{setting}: {changes:?}");

        let in_force = before.after(after.clone()).fingerprint();
        assert!(*then != Restart || in_force == before.fingerprint(), "{setting} does not hold yet");

        // What needs a restart is named again and again until there is one, and the rest is over.
        let again = before.after(after.clone()).changes(&after);
        assert_eq!(&again.needs_restart, needs_restart, "{setting}");
        assert!(again.applied.is_empty(), "{setting}: {again:?}");
    }
}

#[test]
fn what_a_change_touches_is_told_by_its_path() {
    let applied = |path: &str| Changes { applied: vec![path.to_owned()], ..Changes::default() };
    for path in ["tracker.slo", "tracker.rule[0].slo", "tracker.enrich.api_key"] {
        assert!(applied(path).touch("tracker"), "{path}");
        assert_eq!(applied(path).touch("tracker.enrich"), path == "tracker.enrich.api_key", "{path}");
    }
    let beside = |path: &str| applied(path).touch_beside("tracker", "tracker.metrics_monitors_max");
    assert!(
        beside("tracker.slo") && beside("tracker.rule[1].slo") && !beside("tracker.metrics_monitors_max")
    );
    assert!(!beside("trackers"));
    assert!(!applied("trackers").touch("tracker") && !Changes::default().touch("tracker"));
}

#[test]
fn a_secret_that_changed_is_told_to_the_process_and_nothing_else_happens_to_it() {
    let text = uncommented();
    let before = settings(&text);
    let env = [ENV[0], ENV[1], ("ITOC360_TOKEN", "y"), ENV[3]];
    let after = settings_with(&text, &env);
    let changes = before.changes(&after);
    assert_eq!(changes.applied, ["destination.itoc360.secrets"]);
    assert_eq!(changes.rotated, [DestinationName::new("itoc360")].into());
    assert!(changes.reloaded.is_empty());

    // With other settings it gets a new process, which has the new secret from the start.
    let both = settings_with(&text.replace("config = { token", "config = { more = 1, token"), &env);
    let changes = before.changes(&both);
    assert_eq!(changes.reloaded, [DestinationName::new("itoc360")].into());
    assert!(changes.rotated.is_empty());
}

#[test]
fn a_fingerprint_tells_settings_apart_and_not_secrets() {
    let text = uncommented();
    let before = settings(&text);
    assert_eq!(before.fingerprint().len(), 16);
    let env =
        ENV.map(|(name, value)| (name, if name.contains("KEY") { value } else { "another, just as long" }));
    assert_eq!(settings_with(&text, &env).fingerprint(), before.fingerprint());
    let other = text.replace("concurrency = 8", "concurrency = 9");
    assert_ne!(settings(&other).fingerprint(), before.fingerprint());
    let comment = format!("# a comment\n{text}");
    assert_eq!(settings(&comment).fingerprint(), before.fingerprint());
}

#[test]
fn every_setting_that_has_a_value_is_shown_to_people() {
    let read = |text: &str| {
        let lookup =
            |name: &str| ENV.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let surroundings = Surroundings { env: &lookup, program_folder: None };
        let (file, folder) = (Path::new("postroom.toml"), Path::new("/etc/postroom"));
        parse(text, file, folder, Overrides::default(), &surroundings).config
    };
    let shown = |config: &Config| -> BTreeSet<String> {
        config.listing.with_plugins(&[]).map(|(path, _)| path).collect()
    };
    // Left out they have their defaults, and then they have another value. The names of all routes are no setting.
    for text in [String::new(), uncommented()] {
        let config = read(&text);
        let listed = shown(&config);
        let all = Settings::of(&config, &[], |_| unreachable!("there is no plugin"));
        let has_value = |(path, setting): &(&String, &Setting)| {
            *path != "route" && !["None", "[]", "{}"].contains(&&setting.value[..])
        };
        let is_listed = |path: &String| listed.iter().any(|listed| is_within(listed, path));
        let missing: Vec<_> =
            all.by_path.iter().filter(has_value).filter(|(path, _)| !is_listed(path)).collect();
        assert!(missing.is_empty(), "{missing:#?}");
    }
}
