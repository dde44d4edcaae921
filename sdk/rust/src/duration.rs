//! Durations in settings as people write them: `"500ms"`, `"10s"`, `"2m"`, `"1h"`, `"1d"`.
//!
//! ```
//! # use std::time::Duration;
//! #[derive(serde::Deserialize)]
//! struct Config {
//!     #[serde(with = "postroom_sdk::duration")]
//!     timeout: Duration,
//! }
//! # let config: Config = serde_json::from_str(r#"{"timeout": "2m"}"#).unwrap();
//! # assert_eq!(config.timeout, Duration::from_secs(120));
//! ```

use std::time::Duration;

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a duration; for `#[serde(with = "postroom_sdk::duration")]`.
///
/// # Errors
///
/// When the text is no whole number with one of the units `ms`, `s`, `m`, `h` and `d`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("not a duration: write it like \"10s\", \"500ms\" or \"2m\""))
}

fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let unit_ms: u64 = match unit.trim_start() {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return None,
    };
    number.checked_mul(unit_ms).map(Duration::from_millis)
}

#[cfg(test)]
mod tests;
