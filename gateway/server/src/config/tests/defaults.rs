use postroom_core::{lane::Backlog, limits, retry::RetryPolicy};
use postroom_host::{Sandbox, SandboxMode};

use super::*;
use crate::config::{DEFAULT_FILE, PluginStateBounds};

/// The default file with every commented setting uncommented.
fn uncommented() -> String {
    let uncomment = |line: &str| match line.strip_prefix('#') {
        Some(setting) if !setting.is_empty() && !setting.starts_with(' ') => setting.to_owned(),
        _ => line.to_owned(),
    };
    DEFAULT_FILE.lines().map(uncomment).collect::<Vec<_>>().join("\n")
}

const ENV: [(&str, &str); 3] =
    [("POSTROOM_API_KEY", "0123456789abcdef"), ("POSTMAN_TOKEN", "0123456789abcdef"), ("ITOC360_TOKEN", "x")];

#[test]
fn the_default_file_changes_nothing() {
    let (empty, default) = (good(""), good(DEFAULT_FILE));
    assert_eq!(default.server, empty.server);
    assert_eq!(default.store, empty.store);
    assert_eq!(default.plugins, empty.plugins);
    assert_eq!(default.retention, empty.retention);
    assert!(default.sources.is_empty() && default.destinations.is_empty() && default.routes.is_empty());
}

#[test]
fn the_values_in_the_default_file_are_the_defaults_of_the_code() {
    let (empty, written) = (good(""), parse_with(&uncommented(), &ENV, Overrides::default()).unwrap());
    assert_eq!(written.server.listen, empty.server.listen);
    assert_eq!(written.server.drain, empty.server.drain);
    assert_eq!(written.store, empty.store);
    assert_eq!(written.retention, empty.retention);
    assert_eq!(written.plugins.path, empty.plugins.path[1..], "the first is the program's own folder");
    assert_eq!(written.sources[0].body_bytes_max, limits::BODY_BYTES_MAX);
    let [destination, _] = written.destinations.as_slice() else { panic!("two destinations") };
    assert_eq!(destination.retry, RetryPolicy::default());
    assert_eq!(destination.concurrency, Some(limits::CONCURRENCY));
    assert_eq!(destination.attempt_max, limits::ATTEMPT_MAX);
    assert_eq!(destination.state, PluginStateBounds::default());
    assert_eq!(destination.backlog, Some(Backlog::default()));
    assert_eq!(destination.sandbox.mode, SandboxMode::default());
    assert_eq!(destination.sandbox.grant.memory_bytes, Some(512 << 20));
    assert_eq!(destination.deliveries_per_second, Some(10));
    assert!(destination.schedule.is_some());
    assert_eq!(written.routes.len(), 3);
}

#[test]
fn without_a_plugin_path_the_programs_folder_comes_first() {
    assert_eq!(
        good("").plugins.path,
        ["/opt/postroom", "/etc/postroom/plugins", "/usr/lib/postroom/plugins"].map(std::path::PathBuf::from)
    );
}

#[test]
fn what_a_destination_leaves_out_has_its_default() {
    let config = good("[[destination]]\nname = \"a\"\nplugin = \"b\"");
    let destination = &config.destinations[0];
    assert_eq!(destination.config.json, serde_json::json!({}));
    assert_eq!(destination.retry, RetryPolicy::default());
    assert_eq!((destination.concurrency, destination.backlog), (None, None));
    assert_eq!((&destination.sandbox, destination.sha256), (&Sandbox::default(), None));
    assert_eq!((destination.deliveries_per_second, &destination.schedule), (None, &None));
}

#[test]
fn hook_urls_use_the_public_url_when_there_is_one() {
    assert_eq!(good("").server.hook_url("postman"), "http://127.0.0.1:8080/hooks/postman");
    let config = good("[server]\npublic_url = \"https://hooks.example.com/\"");
    assert_eq!(config.server.hook_url("postman"), "https://hooks.example.com/hooks/postman");
}
