//! Logs: to standard error, one line an entry, readable on a terminal and JSON otherwise.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, util::SubscriberInitExt};

use crate::{config::nearest, output::Colour};

/// Where more detail is asked for when `--log-level` does not.
const FILTER_VARIABLE: &str = "RUST_LOG";

/// Flags about logs.
#[derive(Debug, Clone, clap::Args)]
pub struct LogArgs {
    /// Form of the log on standard error; without it `pretty` on a terminal and `json` otherwise
    #[arg(long, global = true, value_name = "FORM", help_heading = "Logs")]
    pub log_format: Option<LogFormat>,
    /// What to log: error, warn, info, debug, trace, or a filter such as `info,postroom_host=debug`; without it
    /// RUST_LOG counts
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Logs")]
    pub log_level: Option<String>,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One JSON object a line, for programs.
    Json,
    /// One readable line, for people.
    Pretty,
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter cannot be read.
    #[error("cannot read the log level in {place}: {source}")]
    Filter {
        /// `--log-level` or the variable.
        place: &'static str,
        /// What is wrong with it.
        source: ParseError,
    },
    /// A word that is no level.
    #[error("no log level \"{word}\" in {place}: {hint}")]
    Level {
        /// `--log-level` or the variable.
        place: &'static str,
        /// The word.
        word: String,
        /// The nearest level, or all of them.
        hint: String,
    },
    /// The process has a log already.
    #[error("the log is already set up")]
    Twice,
}

/// Starts the log of this process. `level` counts when neither flag nor environment says anything.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(args: &LogArgs, level: &str, colour: Colour) -> Result<(), TelemetryError> {
    let filter = filter(args.log_level.as_deref(), std::env::var(FILTER_VARIABLE).ok().as_deref(), level)?;
    let terminal = io::stderr().is_terminal();
    let format = args.log_format.unwrap_or(if terminal { LogFormat::Pretty } else { LogFormat::Json });
    let builder = fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match format {
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
        LogFormat::Pretty => {
            builder.compact().with_target(false).with_ansi(colour.talk()).finish().try_init()
        }
    };
    started.map_err(|_| TelemetryError::Twice)
}

fn filter(flag: Option<&str>, env: Option<&str>, level: &str) -> Result<EnvFilter, TelemetryError> {
    let (place, text) = match (flag, env.filter(|text| !text.is_empty())) {
        (Some(text), _) => ("--log-level", text),
        (None, Some(text)) => (FILTER_VARIABLE, text),
        (None, None) => ("the program", level),
    };
    if let Some(word) = text.split(',').map(str::trim).find(|part| is_no_level(part)) {
        return Err(TelemetryError::Level {
            place,
            word: word.to_owned(),
            hint: nearest::hint(word, LEVELS).unwrap_or_default(),
        });
    }
    EnvFilter::try_new(text).map_err(|source| TelemetryError::Filter { place, source })
}

const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// A single word would be taken for a module, with everything else silenced: a slip in a level must not do that.
fn is_no_level(part: &str) -> bool {
    let word = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    word && !LEVELS.contains(&part.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests;
