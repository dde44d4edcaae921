use postroom_host::Manifest;
use serde_json::json;

use super::{Args, asks, run, settings};
use crate::{
    command::ConfigFile,
    output::{Colour, Output},
};

#[test]
fn what_a_plugin_asks_for_is_shown_as_it_would_be_granted() {
    let manifest = json!({
        "manifest": 1, "id": "x", "name": "X", "version": "1.0.0", "abi": "1.0", "kinds": ["*"],
        "network": ["a.example:443", "*:25"],
        "filesystem": [{ "path": "{config.root}", "access": "write" }, { "path": "/etc/x", "access": "read" },
            { "path": "{config.log}", "access": "write", "file": true }],
        "limits": { "memory_mb": 64, "threads": 4 },
    });
    let asked = asks(&Manifest::parse(&manifest.to_string()).unwrap().asks);
    let expected = [
        "TCP port 25, 443",
        "write {config.root}",
        "read /etc/x",
        "write the file {config.log}",
        "64 MiB of memory",
        "4 threads",
    ];
    assert_eq!(asked, expected);
}

#[test]
fn settings_show_type_default_and_meaning() {
    let rows = settings(&json!({
        "type": "object",
        "required": ["token"],
        "properties": {
            "token": { "type": "string", "writeOnly": true, "description": "The source's token" },
            "mode": { "enum": ["postman", "alertmanager"], "default": "postman" },
            "timeout": { "type": ["string", "null"] },
            "anything": {},
        },
    }));
    let rows: Vec<String> = rows.iter().map(|row| row.join(";")).collect();
    assert_eq!(
        rows,
        [
            "token;secret;required;The source's token",
            "mode;\"postman\" | \"alertmanager\";\"postman\";",
            "timeout;string | null;;",
            "anything;;;",
        ]
    );
}

#[test]
fn a_schema_without_properties_has_no_settings() {
    assert!(settings(&json!({ "type": "object" })).is_empty());
}

/// A library with this manifest, as JSON.
fn library(manifest: &serde_json::Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = manifest.to_string().replace('\\', "\\\\").replace('"', "\\\"");
    let source = format!(
        "__attribute__((visibility(\"default\"))) const char postroom_manifest_v1[] = \"{text}\";\n\
         __attribute__((visibility(\"default\"))) void *postroom_plugin_entry_v1(void) {{ return 0; }}\n"
    );
    let code = folder.path().join("evil.c");
    std::fs::write(&code, source).unwrap();
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let library = folder.path().join("libevil.so");
    let done = std::process::Command::new(compiler)
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &code])
        .output();
    let done = done.expect("the tests need a C compiler");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    folder
}

/// What is printed of the file that is made of this manifest.
fn printed(manifest: &serde_json::Value) -> String {
    let folder = library(manifest);
    let (mut data, mut talk) = (Vec::new(), Vec::new());
    let mut output = Output::new(&mut data, &mut talk, Colour::default());
    let plugin = folder.path().join("libevil.so").to_str().unwrap().to_owned();
    run(&Args { plugin, file: ConfigFile { config: "postroom.toml".into() }, json: false }, &mut output)
        .unwrap();
    String::from_utf8(data).unwrap().replace(folder.path().to_str().unwrap(), "")
}

#[test]
fn all_that_a_plugin_does_is_shown() {
    let text = printed(&json!({
        "manifest": 1, "id": "keeper", "name": "Keeper", "version": "1.0.0", "abi": "1.1", "kinds": ["*"],
        "emits": ["kept", "lost"], "metrics": [{ "name": "files", "kind": "counter" }],
        "config_schema": { "properties": { "root": { "type": "string" } } },
        "actions": [
            { "name": "list", "description": "Names the versions" },
            {
                "name": "restore", "danger": true,
                "input_schema": { "properties": { "version": {}, "force": {} }, "required": ["version"] },
            },
        ],
    }));
    insta::assert_snapshot!(text, @"
    id           keeper
    name         Keeper
    version      1.0.0
    abi          1.1
    kinds        *
    asks for     no network
    makes        kept, lost
    measures     files
    file         /libevil.so

    SETTING  TYPE    DEFAULT  MEANING
    root     string

    ACTION   DANGER  TAKES            MEANING
    list                              Names the versions
    restore  yes     version [force]
    ");
}

/// One looks at a foreign file with this before one trusts it.
#[test]
fn no_escape_sequence_of_a_file_reaches_the_terminal() {
    let text = printed(&json!({
        "manifest": 1, "id": "evil", "name": "E", "version": "1", "abi": "1.0",
        "kinds": ["\u{1b}[2Jkind"],
        "description": "\u{1b}]0;owned\u{7}\nid           backup",
        "license": "\u{9b}31m",
        "homepage": "https://\u{202e}example",
        "filesystem": [{ "path": "/\u{1b}[31m", "access": "read" }],
        "config_schema": { "properties": { "a\u{1b}": {
            "type": "\u{1b}", "default": "\u{1b}", "description": "\u{1b}[31mred\nb  string",
        } } },
        "actions": [{ "name": "a", "description": "\u{1b}[31m\nb", "input_schema": { "properties": { "\u{7}": {} } } }],
    }));
    let wrong = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(wrong), "{text:?}");
    let ids = text.lines().filter(|line| line.starts_with("id ")).count();
    assert_eq!((ids, text.lines().count()), (1, 16), "{text}");
}
