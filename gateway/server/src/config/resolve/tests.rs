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

/// What is wrong with the kinds that a route names, when the plugin makes pages and may, or may not.
fn unmade(route: &str, emit: bool) -> Vec<(String, Option<String>)> {
    let text = format!(
        "[[destination]]\nname = \"out\"\nplugin = \"forward\"\nemit = {emit}\n[[route]]\nname = \"r\"\nto = [\"out\"]\n{route}"
    );
    let surroundings = Surroundings { env: &|_| None, program_folder: None };
    let draft =
        parse(&text, Path::new("postroom.toml"), Path::new("/etc"), Overrides::default(), &surroundings);
    let config = draft.finish().unwrap();
    let mut plugin = forward();
    plugin.manifest.emits = vec!["page_opened".parse().unwrap()];
    let resolved = [with_plugin(&config.destinations[0], &plugin, &config)];
    let told = |fault: Fault| {
        let line = fault.position.unwrap().line;
        (format!("{line}: {}: {}", fault.path, fault.message), fault.hint)
    };
    unmade_kinds(&config, &resolved).into_iter().map(told).collect()
}

#[test]
fn a_kind_that_nothing_makes_is_told() {
    let fault = |kind: &str, setting: &str, hint: Option<&str>| {
        let line = format!("8: {setting}: nothing makes events of kind \"{kind}\"");
        vec![(line, hint.map(str::to_owned))]
    };
    assert_eq!(unmade("kinds = [\"monitor_run\", \"page_opened\"]", true), []);
    assert_eq!(unmade("when = \"event.kind == 'page_opened'\"", true), []);
    assert_eq!(
        unmade("kinds = [\"page_open\"]", true),
        fault("page_open", "route[0].kinds[0]", Some("did you mean \"page_opened\"?"))
    );
    assert_eq!(
        unmade("kinds = [\"page_opened\"]", false),
        fault(
            "page_opened",
            "route[0].kinds[0]",
            Some("the plugin of \"out\" does once it may: emit = true there")
        )
    );
    assert_eq!(
        unmade("when = \"event.kind in ['activiti']\"", true),
        fault("activiti", "route[0].when", Some("did you mean \"activity\"?"))
    );
}
