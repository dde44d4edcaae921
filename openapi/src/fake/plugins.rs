//! The plugin of the fake's destination, and its one action.

use serde_json::{Map, Value, json};

use crate::{
    actions::Action,
    plugins::{Plugin, PluginAsks, PluginFolder, PluginLimits, PluginList, RejectedPlugin},
    port::RunError,
};

pub(super) fn action() -> Action {
    Action {
        name: "restore".to_owned(),
        title: Some("Restore".to_owned()),
        description: None,
        danger: true,
        input_schema: Some([("type".to_owned(), "object".into())].into()),
        output_schema: None,
    }
}

/// Gives back its input, or fails as the input says.
pub(super) fn run(action: &str, input: Map<String, Value>) -> Result<Map<String, Value>, RunError> {
    let reason = || "because".to_owned();
    match input.get("fail").and_then(Value::as_str) {
        _ if action != "restore" => Err(RunError::UnknownAction),
        Some("unknown") => Err(RunError::UnknownAction),
        Some("input") => Err(RunError::Input { reasons: vec!["/name: is missing".to_owned()] }),
        Some("large") => Err(RunError::InputTooLarge { bytes_max: 1 }),
        Some("missing") => Err(RunError::NotFound { reason: reason() }),
        Some("refused") => Err(RunError::Refused { reason: reason() }),
        Some("unavailable") => Err(RunError::Unavailable { reason: reason() }),
        Some("late") => Err(RunError::TimedOut { reason: reason() }),
        Some("failed") => Err(RunError::Failed { reason: reason() }),
        _ => Ok(Map::from_iter([("input".to_owned(), json!(input))])),
    }
}

pub(super) fn plugins() -> PluginList {
    let folder = "/usr/lib/postroom/plugins".to_owned();
    let plugin = Plugin {
        id: "itoc360".to_owned(),
        name: "itoc360".to_owned(),
        description: None,
        version: "0.1.0".to_owned(),
        abi: "1.1".to_owned(),
        file: format!("{folder}/libpostroom_plugin_itoc360.so"),
        sha256: Some("ab".repeat(32)),
        kinds: vec!["monitor_run".to_owned()],
        concurrency: Some(4),
        asks: PluginAsks {
            network: vec!["*:443".to_owned()],
            folders: vec![PluginFolder { path: "{config.root}".to_owned(), access: "write".to_owned() }],
        },
        limits: PluginLimits { memory_bytes: None, threads: Some(8) },
        config_schema: None,
        actions: vec![action()],
        used_by: vec!["itoc360".to_owned()],
    };
    let file = format!("{folder}/libother.so");
    let rejected = RejectedPlugin { file, reason: "is for another machine".to_owned() };
    PluginList { items: vec![plugin], rejected: vec![rejected], folders: vec![folder] }
}
