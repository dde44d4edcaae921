//! What a plugin's code says about itself beside the manifest in its file.
#![expect(unsafe_code, reason = "calls the plugin's function")]

use postroom_abi::POSTROOM_OK;
use serde_json::Value;

use super::{library::Library, memory::with_sink, status::Status};

/// Twice what the file may have: the schema comes on top.
const MANIFEST_BYTES_MAX: usize = 512 * 1024;
/// What the two have to agree on.
const SAME: [&str; 3] = ["id", "version", "abi"];

/// Why what `describe` says cannot be believed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DescribeError {
    #[error("describe failed: {0}")]
    Failed(Status),
    #[error("describe gives no JSON object")]
    NoObject,
    #[error("describe says that the {key} is {said}, and the manifest in the file {stands}")]
    Other { key: &'static str, said: String, stands: String },
}

impl Library {
    /// Whether `describe`, if there is one, agrees with the manifest in the file.
    pub(crate) fn check_description(&self) -> Result<(), DescribeError> {
        let Some(describe) = self.table.describe else { return Ok(()) };
        // SAFETY: the function is the plugin's; the sink lives during the call.
        let (status, said) = with_sink(MANIFEST_BYTES_MAX, |sink| unsafe { describe(sink) });
        if status != POSTROOM_OK {
            return Err(DescribeError::Failed(Status(status)));
        }
        let said: Value = serde_json::from_slice(&said).unwrap_or_default();
        if !said.is_object() {
            return Err(DescribeError::NoObject);
        }
        let stands = self.manifest.and_then(|manifest| serde_json::from_slice(manifest.to_bytes()).ok());
        let stands: Value = stands.unwrap_or_default();
        let Some(key) = SAME.into_iter().find(|key| said[*key] != stands[*key]) else { return Ok(()) };
        let (said, stands) = (said[key].to_string(), stands[key].to_string());
        Err(DescribeError::Other { key, said, stands })
    }
}
