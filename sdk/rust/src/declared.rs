//! What `#[postroom_plugin]` says about a plugin beside its functions.

use schemars::JsonSchema;
use serde_json::Value;

use crate::{plugin::Plugin, schema};

/// Filled by the attribute, read by the function table and the test host.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Declared {
    /// The manifest as it stands in the library: JSON that ends with NUL. Empty without the attribute.
    pub manifest: &'static str,
    /// Capability bits that the plugin needs beside the SDK's own.
    pub capabilities: u64,
    /// The schema of the settings; takes the plugin's name.
    pub config_schema: Option<fn(&str) -> Value>,
}

impl Declared {
    /// For plugins that do not use the attribute.
    pub const NOTHING: Self = Self { manifest: "", capabilities: 0, config_schema: None };

    /// The manifest; `None` when there is none.
    pub(crate) fn manifest(&self) -> Option<Value> {
        serde_json::from_str(self.manifest.trim_end_matches('\0')).ok()
    }

    /// The threads that the manifest asks for.
    pub(crate) fn threads(&self) -> Option<u64> {
        self.manifest()?["limits"]["threads"].as_u64()
    }
}

/// The manifest with what the types of the settings and the actions give.
pub(crate) fn describe<P: Plugin>() -> Option<Value> {
    let declared = P::DECLARED;
    let mut manifest = declared.manifest()?;
    manifest["config_schema"] = schema_of(&declared, &manifest)?;
    if let Some(actions) = P::actions().describe() {
        manifest["actions"] = actions;
    }
    Some(manifest)
}

/// The schema that belongs into the file, titled with the plugin's name.
pub(crate) fn schema_of(declared: &Declared, manifest: &Value) -> Option<Value> {
    let config_schema = declared.config_schema?;
    Some(config_schema(manifest["name"].as_str().unwrap_or_default()))
}

/// The schema of the settings `C`.
#[doc(hidden)]
#[must_use]
pub fn config_schema<C: JsonSchema>(title: &str) -> Value {
    schema::of::<C>(title)
}
