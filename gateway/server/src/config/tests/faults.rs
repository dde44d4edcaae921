use postroom_host::PLUGIN_BODY_BYTES_MAX;

use super::{faults_of, good};

/// Expects exactly one fault, `line: path: message`, with a hint that contains `hint`.
#[track_caller]
pub(in crate::config) fn check(text: &str, expected: &str, hint: &str) {
    let found = faults_of(text);
    let [fault] = found.faults.as_slice() else { panic!("expected one fault, found:\n{found}") };
    let line = fault.position.expect("a fault of the file has a position").line;
    assert_eq!(format!("{line}: {}: {}", fault.path, fault.message), expected);
    let found_hint = fault.hint.as_deref().unwrap_or_default();
    assert!(found_hint.contains(hint), "hint {found_hint:?} lacks {hint:?}");
}

/// Like [`check`] for a setting of an otherwise good source; the setting stands in line 4.
#[track_caller]
fn check_in_source(setting: &str, expected: &str, hint: &str) {
    check(
        &format!("[[source]]\nname = \"postman\"\ntokens = [\"0123456789abcdef\"]\n{setting}"),
        &format!("4: source[0].{expected}"),
        hint,
    );
}

/// Like [`check`] for a setting of an otherwise good destination; the setting stands in line 4.
#[track_caller]
pub(super) fn check_in_destination(setting: &str, expected: &str, hint: &str) {
    check(
        &format!("[[destination]]\nname = \"backups\"\nplugin = \"backup\"\n{setting}"),
        &format!("4: destination[0].{expected}"),
        hint,
    );
}

/// Like [`check`] for a setting of a route; the setting stands in line 9.
#[track_caller]
fn check_in_route(setting: &str, expected: &str, hint: &str) {
    let to = if setting.starts_with("to ") { "" } else { "to = [\"backups\"]" };
    check(
        &format!(
            "[[source]]\nname = \"postman\"\ntokens = [\"0123456789abcdef\"]\n\
             [[destination]]\nname = \"backups\"\nplugin = \"backup\"\n\
             [[route]]\nname = \"all\"\n{setting}\n{to}"
        ),
        &format!("9: route[0].{expected}"),
        hint,
    );
}

#[test]
fn lines_that_are_no_toml_are_told_with_the_other_faults_but_nothing_is_concluded_from_what_they_hide() {
    let found = faults_of(
        r#"[server]
drain = 30s
listen = 8080
listen = "127.0.0.1:8080"
[[route]]
name = "all"
to = ["backups"]
sources = ["b"]
colour = "red"
[[destination]]
name = "spare"
plugin = "backup"
[[route]]
name = "other"
to = ["spaer"]
[[source]]
name "postman"
tokens = ["short"]
"#,
    );
    insta::assert_snapshot!(found, @r#"
postroom.toml:2: not TOML: string values must be quoted, expected literal string
    hint: text needs quotes, a list [ ], a table { }; each key and each [table] stands once
postroom.toml:3: server.listen: expected an address with a port, found an integer
    hint: like "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
postroom.toml:4: not TOML: duplicate key
    hint: text needs quotes, a list [ ], a table { }; each key and each [table] stands once
postroom.toml:9: route[0].colour: unknown key
    hint: known here: name, kinds, sources, labels, monitor, collection, environment, verdict, action, model, when, to
postroom.toml:15: route[1].to[0]: unknown destination "spaer"
    hint: did you mean "spare"?
postroom.toml:17: not TOML: key with no value, expected `=`
    hint: text needs quotes, a list [ ], a table { }; each key and each [table] stands once
"#);
}

#[test]
fn unknown_keys_come_with_the_nearest_name() {
    check("[sever]\n", "1: sever: unknown key", "did you mean \"server\"?");
    check("[server]\n\nlistn = 1", "3: server.listn: unknown key", "did you mean \"listen\"?");
    check("[store]\ncolour = 1", "2: store.colour: unknown key", "known here: url");
    check_in_source("bodylimit = \"1 MiB\"", "bodylimit: unknown key", "did you mean \"body_limit\"?");
    check_in_destination("retries = []", "retries: unknown key", "did you mean \"retry\"?");
    check_in_route("kind = [\"activity\"]", "kind: unknown key", "did you mean \"kinds\"?");
}

#[test]
fn wrong_types_name_what_is_expected_and_what_stands_there() {
    check(
        "[server]\nlisten = 8080",
        "2: server.listen: expected an address with a port, found an integer",
        "like",
    );
    check("server = 5", "1: server: expected a table, found an integer", "{ key = … }");
    check("source = \"x\"", "1: source: expected a list, found a string", "brackets");
    check("[source]\nname = \"x\"", "1: source: expected a list of tables, found a table", "[[source]]");
    check("route = [1]", "1: route[0]: expected a table, found an integer", "braces");
    check_in_source("labels = []", "labels: expected a table, found an array", "braces");
    check_in_source("labels = { a = 1 }", "labels.a: expected a string, found an integer", "quotes");
    check_in_destination(
        "concurrency = \"8\"",
        "concurrency: expected a whole number, found a string",
        "1 to 1024",
    );
    check_in_destination("retry = \"5s\"", "retry: expected a list, found a string", "brackets");
    check_in_destination("retry = [5]", "retry[0]: expected a duration, found an integer", "30s");
    check_in_destination("config = []", "config: expected a table, found an array", "braces");
    check_in_route("to = \"backups\"", "to: expected a list, found a string", "brackets");
}

#[test]
fn values_out_of_range_or_form_are_told() {
    check("[server]\nlisten = \"localhost\"", "2: server.listen: not an address with a port", "8080");
    check("[server]\ndrain = \"soon\"", "2: server.drain: not a duration", "30s");
    check(
        "[server]\npublic_url = \"hooks.example.com\"",
        "2: server.public_url: not an http or https URL without query",
        "https://hooks.example.com",
    );
    check(
        "[store]\nurl = \"postgres://db/postroom\"",
        "2: store.url: not a store that this version knows",
        "sqlite:data/postroom.db",
    );
    check_in_source("body_limit = \"0 B\"", "body_limit: not a size from 1 B to 1023 MiB", "64 MiB");
    check_in_source(
        "requests_per_second = 0",
        "requests_per_second: the number is out of range",
        "from 1 to 1000000",
    );
    check_in_destination("concurrency = 5000", "concurrency: the number is out of range", "from 1 to 1024");
    check_in_destination(
        "backlog = \"lates\"",
        "backlog: unknown backlog \"lates\"",
        "did you mean \"latest\"?",
    );
    check_in_destination(
        "deliveries_per_second = 0",
        "deliveries_per_second: the number is out of range",
        "from 1 to 1000000",
    );
    check_in_destination("timeout = \"0s\"", "timeout: an attempt needs time", "60s");
    check_in_destination("config = { ratio = nan }", "config.ratio: JSON has no such number", "finite");
    check_in_route("kinds = []", "kinds: the list is empty", "leave the setting out");
    check_in_route(
        "monitor = [\"[a\"]",
        "monitor[0]: \"[a\" is not a pattern: unclosed character class; missing ']'",
        "backslash",
    );
    check(
        "[[api_key]]\nname = \"me\"\nrole = \"boss\"\nkey = \"0123456789abcdef\"",
        "3: api_key[0].role: unknown role \"boss\"",
        "known here: viewer, operator, admin",
    );
    check(
        "[[destination]]\nname = \"a\"\nplugin = \"libbackup.so/\"",
        "3: destination[0].plugin: not a plugin id",
        "itoc360",
    );
}

#[test]
fn missing_settings_are_told_at_their_table() {
    check("\n[[source]]\ntokens = [\"0123456789abcdef\"]", "2: source[0].name: missing", "name = ");
    check("[[source]]\nname = \"a\"", "1: source[0].tokens: missing", "env");
    check("[[destination]]\nname = \"a\"", "1: destination[0].plugin: missing", "plugin list");
    check("[[route]]\nname = \"a\"", "1: route[0].to: missing", "destinations");
    check("[[api_key]]\nname = \"a\"\nrole = \"admin\"", "1: api_key[0].key: missing", "env");
}

#[test]
fn names_must_be_usable_and_their_own() {
    check(
        "[[source]]\nname = \"a b\"\ntokens = [\"0123456789abcdef\"]",
        "2: source[0].name: \"a b\" cannot be a name",
        "letters",
    );
    check(
        "[[destination]]\nname = \"a\"\nplugin = \"forward\"\n[[destination]]\nname = \"a\"\nplugin = \"backup\"",
        "5: destination[1].name: the name \"a\" is taken",
        "line 2 has it",
    );
}

#[test]
fn routes_name_what_exists() {
    check_in_route("to = [\"backup\"]", "to[0]: unknown destination \"backup\"", "did you mean \"backups\"?");
    check_in_route(
        "sources = [\"postmen\"]",
        "sources[0]: unknown source \"postmen\"",
        "did you mean \"postman\"?",
    );
    check_in_route(
        "kinds = [\"monitor_runs\"]",
        "kinds[0]: unknown kind \"monitor_runs\"",
        "did you mean \"monitor_run\"?",
    );
    check_in_route(
        "verdict = [\"fail\"]",
        "verdict[0]: unknown verdict \"fail\"",
        "did you mean \"failed\"?",
    );
    check(
        "[[route]]\nname = \"a\"\nto = [\"b\"]",
        "3: route[0].to[0]: unknown destination \"b\"",
        "no [[destination]]",
    );
}

#[test]
fn a_destination_with_a_fault_is_still_known_to_routes() {
    check(
        "[[destination]]\nname = \"backups\"\nplugin = 5\n[[route]]\nname = \"all\"\nto = [\"backups\"]",
        "3: destination[0].plugin: expected a plugin id, found an integer",
        "",
    );
}

#[test]
fn tokens_must_be_there() {
    let text = |tokens: &str| format!("[[source]]\nname = \"a\"\ntokens = {tokens}");
    check(&text("[]"), "3: source[0].tokens: a source has one or two tokens, found 0", "replace");
    check(&text("[\"\"]"), "3: source[0].tokens[0]: the token is empty", "openssl");
    check(&text("[5]"), "3: source[0].tokens[0]: expected a secret, found an integer", "env");
    check(&text("[{ envv = \"A\" }]"), "3: source[0].tokens[0]: expected a secret, found a table", "env");
    check(
        &text("[{ env = \"NOT_SET\" }]"),
        "3: source[0].tokens[0]: the environment variable NOT_SET is not set",
        "set NOT_SET",
    );
    check(
        &text("[{ env = \"tok_live_51Hs3cret\" }]"),
        "3: source[0].tokens[0]: the environment variable that is named here is not set",
        "set it where the gateway starts",
    );
    check(
        &text("[{ file = \"gone\" }]"),
        "3: source[0].tokens[0]: cannot read the secret file /etc/postroom/gone: No such file or directory (os error 2)",
        "folder of this file",
    );
}

#[test]
fn five_different_faults_are_told_at_once() {
    let found = faults_of(
        r#"[server]
listen = 8080

[[source]]
name = "postman"
tokens = [{ env = "POSTMAN_TOKEN" }]
labells = { team = "payments" }

[[destination]]
name = "backups"
plugin = "backup"
retry = ["5 moments"]

[[route]]
name = "backups"
kinds = ["collection_backup"]
to = ["backup"]
"#,
    );
    insta::assert_snapshot!(found, @r#"
postroom.toml:2: server.listen: expected an address with a port, found an integer
    hint: like "127.0.0.1:8080", or "0.0.0.0:8080" for every interface
postroom.toml:6: source[0].tokens[0]: the environment variable POSTMAN_TOKEN is not set
    hint: set POSTMAN_TOKEN where the gateway starts, or write { file = "path" }
postroom.toml:7: source[0].labells: unknown key
    hint: did you mean "labels"?
postroom.toml:12: destination[0].retry[0]: not a duration
    hint: like "30s", "2m" or "1h"
postroom.toml:17: route[0].to[0]: unknown destination "backup"
    hint: did you mean "backups"?
"#);
}

#[test]
fn a_source_takes_what_a_plugin_can_be_given_and_no_more() {
    let largest = "[[source]]\nname = \"a\"\ntokens = [\"0123456789abcdef\"]\nbody_limit = \"1023 MiB\"";
    assert_eq!(good(largest).sources[0].body_bytes_max, PLUGIN_BODY_BYTES_MAX as u64);
    check_in_source("body_limit = \"1024 MiB\"", "body_limit: not a size from 1 B to 1023 MiB", "64 MiB");
}
