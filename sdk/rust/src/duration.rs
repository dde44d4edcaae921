//! Durations in settings as people write them: `"500ms"`, `"10s"`, `"2m"`, `"1h"`, `"1d"`.
//!
//! [`DurationText`] is for settings with a schema; these functions are for `#[serde(with = "postroom_sdk::duration")]`
//! where there is none.
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

use std::{borrow::Cow, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// A duration as text, for `#[serde(with = "postroom_sdk::DurationText")]`: reads it, and gives the schema and the
/// default of the setting.
///
/// ```
/// # use std::time::Duration;
/// #[derive(serde::Deserialize, schemars::JsonSchema)]
/// struct Config {
///     /// How long to wait for an answer.
///     #[serde(default = "ten_seconds", with = "postroom_sdk::DurationText")]
///     timeout: Duration,
/// }
///
/// fn ten_seconds() -> Duration {
///     Duration::from_secs(10)
/// }
/// # let config: Config = serde_json::from_str("{}").unwrap();
/// # assert_eq!(config.timeout, ten_seconds());
/// ```
#[derive(Debug)]
pub enum DurationText {}

impl DurationText {
    /// Reads a duration.
    ///
    /// # Errors
    ///
    /// As [`deserialize`].
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        deserialize(deserializer)
    }

    /// Writes a duration.
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serialize(duration, serializer)
    }
}

impl JsonSchema for DurationText {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}

/// Reads a duration; for `#[serde(with = "postroom_sdk::duration")]`.
///
/// # Errors
///
/// When the text is no whole number with one of the units `ms`, `s`, `m`, `h` and `d`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).ok_or_else(|| D::Error::custom("not a duration: write it like \"10s\", \"500ms\" or \"2m\""))
}

/// Writes a duration in the largest unit that it is a whole number of; what is below a millisecond is left out.
///
/// ```
/// # use std::time::Duration;
/// #[derive(serde::Serialize)]
/// struct Config {
///     #[serde(serialize_with = "postroom_sdk::duration::serialize")]
///     timeout: Duration,
/// }
/// # let config = Config { timeout: Duration::from_secs(120) };
/// # assert_eq!(serde_json::to_string(&config).unwrap(), r#"{"timeout":"2m"}"#);
/// ```
///
/// # Errors
///
/// As the serializer.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let ms = duration.as_millis();
    let units = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)];
    let unit = units.into_iter().find(|(_, unit_ms)| ms != 0 && ms.is_multiple_of(*unit_ms));
    let (name, unit_ms) = unit.unwrap_or(("ms", 1));
    serializer.collect_str(&format_args!("{}{name}", ms / unit_ms))
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
