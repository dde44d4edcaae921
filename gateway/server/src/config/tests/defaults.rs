use postroom_core::{
    id::SourceName,
    lane::Backlog,
    limits,
    monitor::{Identity, Numbers, Policy, Rules, Severity},
    retry::RetryPolicy,
};
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

const ENV: [(&str, &str); 4] = [
    ("POSTROOM_API_KEY", "0123456789abcdef"),
    ("POSTMAN_TOKEN", "0123456789abcdef"),
    ("ITOC360_TOKEN", "x"),
    ("POSTMAN_API_KEY", "0123456789abcdef"),
];

fn anybody() -> Identity {
    Identity {
        uid: "1e8eea47".to_owned(),
        name: None,
        collection_name: None,
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: SourceName::new("postman"),
        labels: std::collections::BTreeMap::new(),
    }
}

#[test]
fn the_default_file_changes_nothing() {
    let (empty, default) = (good(""), good(DEFAULT_FILE));
    assert_eq!(default.server, empty.server);
    assert_eq!(default.store, empty.store);
    assert_eq!(default.plugins, empty.plugins);
    assert_eq!(default.retention, empty.retention);
    assert_eq!(default.api, empty.api);
    assert_eq!(format!("{:?}", default.tracker), format!("{:?}", empty.tracker));
    assert!(default.sources.is_empty() && default.destinations.is_empty() && default.routes.is_empty());
}

#[test]
fn the_values_in_the_default_file_are_the_defaults_of_the_code() {
    let (empty, written) = (good(""), parse_with(&uncommented(), &ENV, Overrides::default()).unwrap());
    assert_eq!(written.server.listen, empty.server.listen);
    assert_eq!(written.server.drain, empty.server.drain);
    assert_eq!(written.store, empty.store);
    assert_eq!(written.retention, empty.retention);
    assert_eq!(written.api, empty.api);
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
    let (written, empty) = (written.tracker, empty.tracker);
    assert_eq!((written.enabled, written.history), (empty.enabled, empty.history));
    assert_eq!(written.metrics_monitors_max, empty.metrics_monitors_max);
    let enrich = written.enrich.unwrap();
    assert_eq!((enrich.base_url.as_str(), enrich.wait.as_secs()), ("https://api.getpostman.com", 3));
    // The severities that are written are those that hold without a word.
    let of_all = Rules { rules: Vec::new(), ..written.rules };
    let policy = of_all.policy(&anybody());
    assert_eq!(Policy { severity: Vec::new().into(), ..policy.clone() }, empty.rules.policy(&anybody()));
    let failed = |errors, failed_tests| Numbers {
        errors: Some(errors),
        failed_tests: Some(failed_tests),
        ..Numbers::default()
    };
    for numbers in [failed(1, 0), failed(0, 1), failed(1, 1), failed(0, 0), Numbers::default()] {
        assert_eq!(Severity::of(&numbers, &policy.severity), Severity::of(&numbers, &[]), "{numbers:?}");
    }
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
