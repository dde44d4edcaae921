use std::path::Path;

use postroom_host::{Manifest, discover};

use super::*;
use crate::config::{Overrides, Surroundings, parse};

const TEXT: &str = r#"
[[destination]]
name = "out"
plugin = "forward"
[destination.config]
url = "https://example.com"
root = "data"
[destination.config.headers]
"a/b" = "x"
"#;

fn config() -> Config {
    let surroundings = Surroundings { env: &|_| None, program_folder: None };
    let overrides = Overrides::default();
    parse(TEXT, Path::new("postroom.toml"), Path::new("/etc"), overrides, &surroundings).finish().unwrap()
}

fn forward() -> PluginFile {
    let manifest = r#"{"manifest": 1, "id": "forward", "name": "Forward", "version": "1.0.0", "abi": "1.0",
        "kinds": ["*"], "config_schema": {"properties": {
            "url": {"writeOnly": true}, "root": {"format": "path"}}}}"#;
    PluginFile {
        path: "/lib/forward.so".into(),
        manifest: Manifest::parse(manifest).unwrap(),
        size: 1,
        pin: None,
    }
}

/// What a fault that the plugin finds at `pointer` is told as.
#[track_caller]
fn check_place(pointer: &str, path: &str, line: usize) {
    let config = config();
    let fault = with_plugin(&config.destinations[0], &forward(), &config).fault(pointer, "wrong");
    assert_eq!((fault.path.as_str(), fault.position.map(|position| position.line)), (path, Some(line)));
}

#[test]
fn a_plugins_objections_have_the_line_of_the_setting() {
    check_place("/url", "destination[0].config.url", 6);
    check_place("/headers/a~1b", "destination[0].config.headers.\"a/b\"", 9);
    check_place("/headers/c", "destination[0].config.headers.c", 8);
    check_place("/not_there", "destination[0].config.not_there", 5);
    check_place("", "destination[0].config", 5);
}

#[test]
fn the_schema_of_the_plugin_is_applied() {
    let config = config();
    let resolved = with_plugin(&config.destinations[0], &forward(), &config);
    let settings = &resolved.destination.config;
    assert_eq!(settings.json["url"], serde_json::json!({ "$secret": "url" }));
    assert_eq!(settings.json["root"], "/etc/data");
    assert_eq!(settings.secrets["url"].expose(), "https://example.com");
}

#[test]
fn a_plugin_that_is_not_there_is_told_with_the_folders() {
    let faults = resolve(&config(), &discover(&[])).unwrap_err();
    insta::assert_snapshot!(faults, @r#"
    postroom.toml:4: destination[0].plugin: there is no plugin "forward"
        hint: no plugin was found in /etc/plugins, /usr/lib/postroom/plugins; set [plugins] path
    "#);
}
