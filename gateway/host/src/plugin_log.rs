//! What plugins log and print, in the gateway's own log.

mod budget;

use std::sync::{Arc, Mutex, PoisonError};

use postroom_core::id::{DestinationName, EventId};
use tokio::time::Instant;

pub(crate) use self::budget::Budget;
use crate::mask::Mask;

pub(crate) const TARGET_BYTES_MAX: usize = 128;
pub(crate) const MESSAGE_BYTES_MAX: usize = 8 * 1024;
pub(crate) const FIELDS_BYTES_MAX: usize = 8 * 1024;

/// One log record of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogRecord {
    /// `POSTROOM_LOG_*`, or anything else.
    pub(crate) level: u32,
    /// The delivery that it is about; 0 for none.
    pub(crate) token: u64,
    pub(crate) target: String,
    pub(crate) message: String,
    pub(crate) fields_json: String,
}

/// Writes the log of one destination's plugin, within a budget.
#[derive(Debug)]
pub(crate) struct PluginLog {
    destination: DestinationName,
    mask: Arc<Mask>,
    budget: Mutex<Budget>,
}

impl PluginLog {
    pub(crate) fn new(destination: DestinationName, mask: Arc<Mask>) -> Self {
        Self { destination, mask, budget: Mutex::new(Budget::new(Instant::now())) }
    }

    /// Writes a record; `event` is what its token stands for.
    pub(crate) fn record(&self, record: &LogRecord, event: Option<EventId>) {
        if !self.may_write() {
            return;
        }
        let destination = self.destination.as_str();
        let event = event.map(tracing::field::display);
        let target = self.mask.one_line(&record.target, TARGET_BYTES_MAX);
        let message = self.mask.one_line(&record.message, MESSAGE_BYTES_MAX);
        let fields = self.mask.one_line(&record.fields_json, FIELDS_BYTES_MAX);
        let fields = (!fields.is_empty()).then_some(fields);
        macro_rules! write_at {
            ($level:ident) => {
                tracing::event!(target: "plugin", tracing::Level::$level, destination, event, module = target, fields, "{message}")
            };
        }
        match record.level {
            postroom_abi::POSTROOM_LOG_ERROR => write_at!(ERROR),
            postroom_abi::POSTROOM_LOG_WARN => write_at!(WARN),
            postroom_abi::POSTROOM_LOG_DEBUG => write_at!(DEBUG),
            postroom_abi::POSTROOM_LOG_TRACE => write_at!(TRACE),
            _ => write_at!(INFO),
        }
    }

    /// Writes a line that the plugin printed on its stdout or stderr.
    pub(crate) fn line(&self, stream: &'static str, line: &[u8]) {
        // The budget first: cleaning a line costs time that a flood must not take from others.
        if line.trim_ascii().is_empty() || !self.may_write() {
            return;
        }
        let line = self.mask.one_line(&String::from_utf8_lossy(line), MESSAGE_BYTES_MAX);
        if !line.is_empty() {
            tracing::info!(target: "plugin", destination = self.destination.as_str(), stream, "{line}");
        }
    }

    /// Notes that the child dropped records; the next record that may be written tells it. Not at once: a plugin can
    /// send any number of these notes.
    pub(crate) fn lost(&self, records: u64) {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner).add_lost(records);
    }

    fn may_write(&self) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let allowed = budget.take(Instant::now(), true);
        if allowed && let Some(records) = budget.lost() {
            let destination = self.destination.as_str();
            tracing::warn!(target: "plugin", destination, records, "log records of the plugin dropped");
        }
        allowed
    }
}

/// The highest level that anyone listens to, as `POSTROOM_LOG_*`.
pub(crate) fn current_level() -> u32 {
    use tracing::level_filters::LevelFilter;
    match LevelFilter::current() {
        LevelFilter::OFF => 0,
        LevelFilter::ERROR => postroom_abi::POSTROOM_LOG_ERROR,
        LevelFilter::WARN => postroom_abi::POSTROOM_LOG_WARN,
        LevelFilter::INFO => postroom_abi::POSTROOM_LOG_INFO,
        LevelFilter::DEBUG => postroom_abi::POSTROOM_LOG_DEBUG,
        _ => postroom_abi::POSTROOM_LOG_TRACE,
    }
}
