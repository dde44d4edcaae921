use std::{ffi::OsString, path::Path};

use serde_json::json;

use super::*;
use crate::config::{Surroundings, parse, schema};

const PLANTED: &str = "planted-secret-0123456789";

const FILE: &str = r#"[server]
drain = "10s"
[[api_key]]
name = "me"
role = "admin"
key = "planted-secret-0123456789"
[[source]]
name = "acme"
tokens = [{ env = "TOKEN" }, "planted-secret-0123456789"] # planted-secret-0123456789
labels = { team = "payments" }
[[destination]]
name = "out"
plugin = "forward"
timeout = "20s"
config.url = "https://me:planted-secret-0123456789@example.com/in?key=planted-secret-0123456789"
config.token = "planted-secret-0123456789"
config.headers = { Authorization = { env = "TOKEN" }, Accept = "a" }
config.codes = [200, 202]
[[route]]
name = "all runs"
kinds = ["monitor_run"]
when = "size(event.source) > 1"
to = ["out"]
[tracker.enrich]
api_key = { env = "planted-secret-0123456789" }
[[tracker.rule]]
monitor = "Smoke*"
open_after = 2
"#;

fn read(text: &str, env: &[(&str, &str)], flags: Overrides) -> Config {
    let lookup =
        |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let surroundings = Surroundings { env: &lookup, program_folder: None };
    parse(text, Path::new("postroom.toml"), Path::new("/etc/postroom"), flags, &surroundings).config
}

/// What is shown of `config`, whose only destination has a plugin with this schema.
fn with_schema(config: &Config, schema: Option<&Json>) -> Listing {
    let mut destination = config.destinations[0].clone();
    if let Some(schema) = schema {
        schema::apply(&mut destination.config, schema, Path::new("/"));
    }
    let mut listing = config.listing.clone();
    listing.plugin(&destination, schema);
    listing
}

/// Each setting as one line.
fn lines(listing: impl Iterator<Item = (String, Listed)>) -> Vec<String> {
    listing.map(|(path, Listed { value, origin, .. })| format!("{path} = {value} ({origin:?})")).collect()
}

#[track_caller]
fn check(listed: &[String], expected: &[&str]) {
    for line in expected {
        assert!(listed.iter().any(|listed| listed == line), "{line}\nis not in {listed:#?}");
    }
}

#[test]
fn every_setting_is_there_with_its_place_and_no_secret_is() {
    let config = read(FILE, &[("TOKEN", PLANTED)], Overrides::default());
    let listing = with_schema(
        &config,
        Some(&json!({ "properties": {
        "url": { "type": "string" },
        "token": { "type": "string", "writeOnly": true },
        "headers": { "additionalProperties": { "type": "string" } },
        "codes": { "items": { "type": "integer" } },
    } })),
    );

    let listed = lines(listing.with_plugins(&[]));
    check(
        &listed,
        &[
            "server.drain = \"10s\" (File(2))",
            "server.listen = \"127.0.0.1:8080\" (Default)",
            "retention.size = \"50 GiB\" (Default)",
            "retention.events = \"90d\" (Default)",
            "store.url = \"sqlite:/etc/postroom/data/postroom.db\" (Default)",
            "api_key.me.key = \"***\" (File(6))",
            "api_key.me.role = \"admin\" (File(5))",
            "source.acme.tokens = [{ env = \"TOKEN\" }, \"***\"] (File(9))",
            "source.acme.labels.team = \"payments\" (File(10))",
            "destination.out.timeout = \"20s\" (File(14))",
            "destination.out.config.url = \"https://***@example.com/in?***\" (File(15))",
            "destination.out.config.token = \"***\" (File(16))",
            "destination.out.config.headers.Authorization = \"***\" (File(17))",
            "destination.out.config.headers.Accept = \"a\" (File(17))",
            "destination.out.config.codes = [200, 202] (File(18))",
            "route.\"all runs\".kinds = [\"monitor_run\"] (File(21))",
            "tracker.enrich.api_key = { env = \"***\" } (File(25))",
            "tracker.rule[0].open_after = 2 (File(28))",
        ],
    );
    assert!(!listed.concat().contains(PLANTED), "{listed:#?}");
    assert!(!format!("{:?}", config.listing).contains(PLANTED));
}

#[test]
fn of_a_plugin_only_what_its_schema_describes_is_shown() {
    let text = "[[destination]]\nname = \"out\"\nplugin = \"any\"\n[destination.config]\ntext = \"planted\"\n\
                number = 7001\nlist = [\"planted\"]\ntables = [{ a = \"planted\" }]\ntable.planted = \"planted\"";
    let config = read(text, &[], Overrides::default());
    let hidden = [
        "destination.out.config.list = \"***\" (File(7))",
        "destination.out.config.number = \"***\" (File(6))",
        "destination.out.config.table = \"***\" (File(9))",
        "destination.out.config.tables = \"***\" (File(8))",
        "destination.out.config.text = \"***\" (File(5))",
    ];
    let secret = json!({ "writeOnly": true });
    let marked = json!({ "properties": {
        "text": { "$ref": "#/$defs/T" }, "number": secret, "list": secret, "tables": secret, "table": secret,
    }, "$defs": { "T": secret } });
    let by_pattern = json!({ "patternProperties": { ".*": secret } });
    for schema in [None, Some(&json!({ "type": "object" })), Some(&marked), Some(&by_pattern)] {
        let listed = lines(with_schema(&config, schema).with_plugins(&[]));
        check(&listed, &hidden);
        assert!(!listed.concat().contains("planted") && !listed.concat().contains("7001"), "{listed:#?}");
    }
    let items = json!({ "properties": {
        "list": { "type": "array" },
        "tables": { "items": { "additionalProperties": { "type": "string" } } },
        "table": { "type": "object" },
    } });
    check(
        &lines(with_schema(&config, Some(&items)).with_plugins(&[])),
        &[
            "destination.out.config.list = [\"***\"] (File(7))",
            "destination.out.config.tables[0].a = \"planted\" (File(8))",
            "destination.out.config.table.planted = \"***\" (File(9))",
        ],
    );
}

#[test]
fn nothing_of_a_password_in_a_url_is_shown() {
    for (text, shown) in [
        ("https://example.com/in", "https://example.com/in"),
        ("https://example.com/in?key=a#b", "https://example.com/in?***"),
        ("https://example.com/in#b?c", "https://example.com/in#***"),
        ("https://me:pass@example.com/in?key=a", "https://***@example.com/in?***"),
        ("https://me:pa/ss@example.com/in", "https://***@example.com/in"),
        ("https://me:pa@ss@example.com", "https://***@example.com"),
        ("https://me:pa?ss@example.com/in", "https://***"),
        ("https://me:pa#ss@example.com/in", "https://***"),
        ("https://example.com/in?mail=a@b", "https://***"),
        ("me@example.com", "me@example.com"),
    ] {
        assert_eq!(without_secrets(text), shown, "{text}");
    }
}

#[test]
fn what_stands_above_the_file_says_so() {
    let env = [("POSTROOM_SERVER_LISTEN", "0.0.0.0:1"), ("POSTROOM_STORE_URL", "sqlite:/var/p.db")];
    let flags = Overrides { listen: Some("0.0.0.0:2".parse().unwrap()), ..Overrides::default() };
    let listed = lines(read("[server]\nlisten = \"0.0.0.0:3\"", &env, flags).listing.with_plugins(&[]));
    check(
        &listed,
        &[
            "server.listen = \"0.0.0.0:2\" (Flag)",
            "store.url = \"sqlite:/var/p.db\" (Environment(\"POSTROOM_STORE_URL\"))",
        ],
    );
}

#[test]
fn what_needs_a_restart_stays_as_it_was() {
    let before = read("[retention]\nevents = \"1d\"", &[], Overrides::default()).listing;
    let after = read("[retention]\nevents = \"2d\"\nsize = \"1 GiB\"", &[], Overrides::default()).listing;
    let changed = ["retention.events".to_owned(), "retention.size".to_owned()];
    let kept = after.keeping(&before, &changed);
    let events = &kept.0["retention.events"];
    assert_eq!((&events.value[..], events.origin, events.needs_restart), ("\"1d\"", Origin::File(2), true));
    assert_eq!(kept.0["retention.size"].value, "\"50 GiB\"");
    assert!(!kept.0["retention.replays"].needs_restart);
}
