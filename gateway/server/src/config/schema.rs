//! What a plugin's schema says about its settings: which are secrets (`"writeOnly": true`) and which are paths
//! (`"format": "path"`). The schema is known only once the plugin is found, so this comes after reading the file.

use std::{collections::BTreeMap, path::Path};

use postroom_core::secret::Secret;
use serde_json::Value;

use super::{plugin_config::PluginConfig, read::join};

/// Lifts plain secrets out of `config` and makes its relative paths start from `folder`.
///
/// Follows `properties`, `additionalProperties`, `items`, `allOf`, `anyOf` and `oneOf`; not `$ref`.
pub fn apply(config: &mut PluginConfig, schema: &Value, folder: &Path) {
    Walk { secrets: &mut config.secrets, folder }.visit(&mut config.json, schema, "");
}

struct Walk<'a> {
    secrets: &'a mut BTreeMap<String, Secret>,
    folder: &'a Path,
}

impl Walk<'_> {
    fn visit(&mut self, value: &mut Value, schema: &Value, name: &str) {
        for key in ["allOf", "anyOf", "oneOf"] {
            for schema in schema[key].as_array().into_iter().flatten() {
                self.visit(value, schema, name);
            }
        }
        match value {
            Value::String(text) => {
                if schema["writeOnly"] == true {
                    let secret = Secret::new(std::mem::take(text));
                    *value = PluginConfig::keep_secret(self.secrets, name, secret);
                } else if schema["format"] == "path" {
                    *text = self.folder.join(&*text).to_string_lossy().into_owned();
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    self.visit(item, &schema["items"], &join(name, &index.to_string()));
                }
            }
            Value::Object(entries) => {
                for (key, entry) in entries {
                    let below = schema["properties"].get(key).unwrap_or(&schema["additionalProperties"]);
                    self.visit(entry, below, &join(name, key));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
