//! Secrets: named in the config, fetched from the host, never printed.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor},
};
use thiserror::Error;

/// A secret value. `Debug` shows `Secret(***)`; there is no `Display`; reading it takes a call that says so.
///
/// ```
/// use postroom_sdk::Secret;
///
/// let token = Secret::new("t0p");
/// assert_eq!(format!("{token:?}"), "Secret(***)");
/// assert_eq!(token.expose(), "t0p");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be printed.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The value itself. Never log it, keep it, or put it into an outcome.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// A setting that holds a secret: its name, to be given to [`Host::secret`](crate::Host::secret).
///
/// In `postroom.toml` the operator writes `{ env = "NAME" }` or `{ file = "…" }`; the plugin receives
/// `{"$secret":"name"}`. A plain string is refused, so that secrets stay out of configuration files.
///
/// ```
/// use postroom_sdk::SecretRef;
///
/// let setting: SecretRef = serde_json::from_str(r#"{"$secret": "token"}"#).unwrap();
/// assert_eq!(setting.name(), "token");
/// assert!(serde_json::from_str::<SecretRef>(r#""in clear""#).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecretRef(String);

impl SecretRef {
    /// The name of the secret.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for SecretRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor).and_then(|setting| match setting {
            SecretOrText::Secret(secret) => Ok(secret),
            SecretOrText::Text(_) => Err(not_a_secret()),
        })
    }
}

impl JsonSchema for SecretRef {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        secret_schema()
    }
}

/// The gateway knows a secret by `writeOnly`: plain text in its place is kept like one too.
fn secret_schema() -> Schema {
    json_schema!({ "type": "string", "writeOnly": true })
}

/// A setting that may be a secret or plain text, such as the value of a header.
///
/// ```
/// use postroom_sdk::{Host, Secret, SecretError, SecretOrText};
///
/// fn header(host: &Host, setting: &SecretOrText) -> Result<Secret, SecretError> {
///     host.resolve(setting)
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum SecretOrText {
    /// A secret by name.
    Secret(SecretRef),
    /// Text as it stands in the configuration.
    Text(String),
}

impl fmt::Debug for SecretOrText {
    /// Hides plain text too: what may be a secret is often written as text by mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret(secret) => secret.fmt(f),
            Self::Text(_) => f.write_str("Text(***)"),
        }
    }
}

impl<'de> Deserialize<'de> for SecretOrText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SettingVisitor)
    }
}

impl JsonSchema for SecretOrText {
    fn schema_name() -> Cow<'static, str> {
        "SecretOrText".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        secret_schema()
    }
}

/// Why a secret could not be had. The name is shown, the value never.
///
/// ```
/// use postroom_sdk::{Failure, SecretError};
///
/// let failure = Failure::from(SecretError::Unavailable("token".to_owned()));
/// assert!(matches!(failure, Failure::Retry { .. }));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SecretError {
    /// The config of this destination does not name it.
    #[error("the secret `{0}` is not named in this destination's config: refer to it there")]
    NotGranted(String),
    /// The host has it not at hand now.
    #[error("the secret `{0}` cannot be read now: check that its environment variable or file is there")]
    Unavailable(String),
    /// It is not UTF-8.
    #[error("the secret `{0}` is not valid UTF-8: check its file")]
    NotText(String),
}

/// The field that marks a reference to a secret.
const MARK: &str = "$secret";

fn not_a_secret<E: de::Error>() -> E {
    E::custom(
        "a secret is not written here in clear: write `{ env = \"NAME\" }` or `{ file = \"…\" }` in postroom.toml",
    )
}

struct SettingVisitor;

/// serde's own messages quote the value they refuse. A number in the place of a secret is a secret all the same, so
/// every kind of value is refused here with a message of our own.
impl<'de> Visitor<'de> for SettingVisitor {
    type Value = SecretOrText;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a secret")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(SecretOrText::Text(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut name = None;
        while let Some(key) = map.next_key::<String>()? {
            if key != MARK {
                return Err(not_a_secret());
            }
            name = Some(map.next_value::<String>().map_err(|_| not_a_secret::<A::Error>())?);
        }
        name.map(|name| SecretOrText::Secret(SecretRef(name))).ok_or_else(not_a_secret)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Err(not_a_secret())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self::Value, E> {
        Err(not_a_secret())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self::Value, E> {
        Err(not_a_secret())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self::Value, E> {
        Err(not_a_secret())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Err(not_a_secret())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(not_a_secret())
    }
}

#[cfg(test)]
mod tests;
