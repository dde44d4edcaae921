//! What can be checked without running the plugin. That the file could be inspected at all is known by now.

use serde_json::Value;

use super::Broken;
use crate::{config_fault, inspect::PluginFile, json_schema, manifest::Manifest};

/// Whether the gateway would find the file by its name, and what the manifest says.
pub(super) fn file_and_manifest(plugin: &PluginFile) -> Result<String, Broken> {
    let manifest = &plugin.manifest;
    let name = plugin.path.file_name().unwrap_or_default().as_encoded_bytes();
    if !(name.starts_with(b"lib") && name.ends_with(b".so")) {
        let name = manifest.id.replace(['.', '-'], "_");
        return Err(Broken::new(format!(
            "on its search path the gateway looks at lib*.so only: call it libpostroom_plugin_{name}.so"
        )));
    }
    let kinds = manifest.kinds.join(", ");
    Ok(format!("{} {}, ABI {}, for {kinds}", manifest.id, manifest.version, manifest.abi))
}

/// Whether what the manifest gives as a JSON Schema is one, and can be met by an object.
pub(super) fn schemas(manifest: &Manifest) -> Result<String, Broken> {
    let mut schemas: Vec<(String, &Value)> = Vec::new();
    schemas.extend(manifest.config_schema.as_ref().map(|schema| ("config_schema".to_owned(), schema)));
    for action in &manifest.actions {
        let of_action = [("input_schema", &action.input_schema), ("output_schema", &action.output_schema)];
        let there = of_action.into_iter().filter_map(|(key, schema)| Some((key, schema.as_ref()?)));
        schemas.extend(there.map(|(key, schema)| (format!("{key} of the action {:?}", action.name), schema)));
    }
    for (name, schema) in &schemas {
        let faults = json_schema::form_faults(schema);
        if !faults.is_empty() {
            return Err(Broken::new(format!("{name} is no JSON Schema: {}", config_fault::list(&faults))));
        }
        if !takes_objects(schema) {
            return Err(Broken::new(format!("{name} takes no object, and it is always given one")));
        }
    }
    Ok(match schemas.len() {
        0 => "it has none".to_owned(),
        1 => "1 schema".to_owned(),
        count => format!("{count} schemas"),
    })
}

fn takes_objects(schema: &Value) -> bool {
    match &schema["type"] {
        Value::String(name) => name == "object",
        Value::Array(names) => names.iter().any(|name| name == "object"),
        _ => true,
    }
}
