//! What a plugin has against its configuration.

use std::fmt;

use serde::Deserialize;

use crate::mask::Mask;

/// Most faults kept of one report: nobody reads more, and a report is a stranger's input.
const FAULTS_MAX: usize = 64;
const PATH_BYTES_MAX: usize = 256;
const MESSAGE_BYTES_MAX: usize = 1024;

/// One thing that is wrong with a destination's `config`, in the plugin's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFault {
    /// JSON pointer into the config, such as `/base_url`; empty for the config as a whole.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

#[derive(Deserialize)]
struct ReportJson {
    #[serde(default)]
    errors: Vec<ErrorJson>,
}

#[derive(Deserialize)]
struct ErrorJson {
    #[serde(default)]
    path: String,
    #[serde(default)]
    message: String,
}

/// Reads the report of a plugin that refused its configuration, as far as it can be read.
pub(crate) fn read_report(report_json: &str) -> Vec<ConfigFault> {
    let errors =
        serde_json::from_str::<ReportJson>(report_json).map(|report| report.errors).unwrap_or_default();
    let report = errors.into_iter().take(FAULTS_MAX).map(|error| ConfigFault {
        path: cut(error.path, PATH_BYTES_MAX),
        message: cut(error.message, MESSAGE_BYTES_MAX),
    });
    report.collect()
}

/// Keeps at least the first `bytes_max` bytes, so that what is cut can be told from what is not.
fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.ceil_char_boundary(bytes_max));
    text
}

/// What is kept and shown of the faults that a process reported; never empty. A refusal that says nothing usable is
/// still one fault.
pub(crate) fn accept(faults: impl IntoIterator<Item = ConfigFault>, mask: &Mask) -> Vec<ConfigFault> {
    let mut faults: Vec<_> = faults
        .into_iter()
        .take(FAULTS_MAX)
        .map(|fault| ConfigFault {
            path: mask.one_line(&fault.path, PATH_BYTES_MAX),
            message: mask.one_line(&fault.message, MESSAGE_BYTES_MAX),
        })
        .filter(|fault| !(fault.path.is_empty() && fault.message.is_empty()))
        .collect();
    if faults.is_empty() {
        let message = "the plugin refuses its config and does not say why".to_owned();
        faults.push(ConfigFault { path: String::new(), message });
    }
    faults
}

/// All faults as one line.
pub(crate) fn list(faults: &[ConfigFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
