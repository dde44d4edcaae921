//! Lines in the gateway's log.

use std::{fmt, sync::Arc};

use serde_json::Value;

use crate::ffi::HostTable;

/// How much a line matters.
///
/// ```
/// use postroom_sdk::{Level, Log};
///
/// fn dump(log: &Log, page: &[u8]) {
///     // What is costly to make is made only for somebody who reads it.
///     if log.enabled(Level::Trace) {
///         log.trace(format_args!("{page:02x?}"));
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something is wrong but was dealt with.
    Warn,
    /// Something worth knowing.
    Info,
    /// For who looks for a fault.
    Debug,
    /// Everything.
    Trace,
}

/// Writes to the gateway's log, which adds the destination and, from a [`Delivery`](crate::Delivery), the delivery.
///
/// Never blocks: when flooded the gateway drops lines and counts them. Bodies and secrets do not belong here.
///
/// ```
/// use postroom_sdk::{Level, Log};
/// use serde_json::json;
///
/// fn report(log: &Log, sent: usize) {
///     log.info(format_args!("sent {sent} pages"));
///     log.line_with(Level::Debug, "sent", &json!({ "pages": sent }));
/// }
/// ```
#[derive(Clone)]
pub struct Log {
    pub(crate) table: Arc<HostTable>,
    /// 0 outside a delivery.
    pub(crate) token: u64,
}

impl Log {
    /// Logs `message`, formatted only if the level is wanted: `log.debug(format_args!("{n} left"))`.
    pub fn line(&self, level: Level, message: impl fmt::Display) {
        self.write(level, &message, None);
    }

    /// Logs `message` with fields for programs, a JSON object.
    pub fn line_with(&self, level: Level, message: impl fmt::Display, fields: &Value) {
        self.write(level, &message, Some(fields));
    }

    /// Logs at level error.
    pub fn error(&self, message: impl fmt::Display) {
        self.line(Level::Error, message);
    }

    /// Logs at level warn.
    pub fn warn(&self, message: impl fmt::Display) {
        self.line(Level::Warn, message);
    }

    /// Logs at level info.
    pub fn info(&self, message: impl fmt::Display) {
        self.line(Level::Info, message);
    }

    /// Logs at level debug.
    pub fn debug(&self, message: impl fmt::Display) {
        self.line(Level::Debug, message);
    }

    /// Logs at level trace.
    pub fn trace(&self, message: impl fmt::Display) {
        self.line(Level::Trace, message);
    }

    /// Whether a line of this level would be written.
    #[must_use]
    pub fn enabled(&self, level: Level) -> bool {
        level.number() <= self.table.log_level()
    }

    fn write(&self, level: Level, message: &dyn fmt::Display, fields: Option<&Value>) {
        if self.enabled(level) {
            let fields = fields.map(Value::to_string).unwrap_or_default();
            self.table.log(level.number(), self.token, "", &message.to_string(), &fields);
        }
    }

    /// Hands over a line of `tracing` that was found wanted before.
    #[cfg(feature = "tracing")]
    pub(crate) fn forward(
        &self,
        level: Level,
        token: u64,
        target: &str,
        message: &str,
        fields: serde_json::Map<String, Value>,
    ) {
        let fields = if fields.is_empty() { String::new() } else { Value::Object(fields).to_string() };
        self.table.log(level.number(), token, target, message, &fields);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log").field("token", &self.token).finish_non_exhaustive()
    }
}

impl Level {
    /// The level as it crosses the boundary.
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Error => postroom_abi::POSTROOM_LOG_ERROR,
            Self::Warn => postroom_abi::POSTROOM_LOG_WARN,
            Self::Info => postroom_abi::POSTROOM_LOG_INFO,
            Self::Debug => postroom_abi::POSTROOM_LOG_DEBUG,
            Self::Trace => postroom_abi::POSTROOM_LOG_TRACE,
        }
    }
}
