//! What can be checked without running the plugin. That the file could be inspected at all is known by now.

use super::Broken;
use crate::inspect::PluginFile;

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
