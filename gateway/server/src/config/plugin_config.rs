//! A destination's `config`: free TOML that becomes the plugin's JSON, with the secrets taken out.

use std::{collections::BTreeMap, fmt};

use postroom_core::secret::Secret;
use serde_json::{Map, Number, json};
use toml::de::DeValue;

use super::{
    fault::Position,
    read::{Context, Value, join},
    secrets,
};

/// Settings of a plugin.
#[derive(Clone, Default)]
pub struct PluginConfig {
    /// The settings as the plugin gets them. A secret stands there as `{"$secret": "name"}`.
    pub json: serde_json::Value,
    /// The secrets by name; a name is the secret's path in the settings, like `headers.Authorization`.
    pub secrets: BTreeMap<String, Secret>,
    /// Where each setting stands in the file, by JSON pointer; the settings themselves are at "".
    positions: BTreeMap<String, Position>,
}

impl PluginConfig {
    /// Settings without any key, as those of a destination that has no `config`.
    pub(super) fn empty() -> Self {
        Self { json: json!({}), ..Self::default() }
    }

    pub(super) fn read(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Self> {
        value.table(cx)?;
        let mut config = Self::default();
        config.json = config.convert(cx, value, "", "")?;
        Some(config)
    }

    /// Where the setting at `pointer` (`/headers/Authorization`) stands, or the nearest setting around it.
    #[must_use]
    pub fn position(&self, pointer: &str) -> Option<Position> {
        let mut pointer = pointer;
        loop {
            if let Some(position) = self.positions.get(pointer) {
                return Some(*position);
            }
            pointer = &pointer[..pointer.rfind('/')?];
        }
    }

    /// Takes `secret` out of the settings; gives what stands there instead.
    pub(super) fn keep_secret(
        secrets: &mut BTreeMap<String, Secret>,
        name: &str,
        secret: Secret,
    ) -> serde_json::Value {
        secrets.insert(name.to_owned(), secret);
        json!({ "$secret": name })
    }

    fn convert(
        &mut self,
        cx: &mut Context<'_>,
        value: &Value<'_>,
        name: &str,
        pointer: &str,
    ) -> Option<serde_json::Value> {
        self.positions.insert(pointer.to_owned(), cx.faults.position(value.spot.span.start));
        if !pointer.is_empty()
            && let Some(secret) = secrets::reference(cx, value)?
        {
            return Some(Self::keep_secret(&mut self.secrets, name, secret));
        }
        Some(match value.value {
            DeValue::String(text) => json!(text),
            DeValue::Boolean(truth) => json!(truth),
            DeValue::Datetime(datetime) => json!(datetime.to_string()),
            DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(number) => json!(number),
                Err(_) => {
                    cx.faults
                        .at(&value.spot, "the number is too large")
                        .hint("put it in quotes if the plugin takes a text");
                    return None;
                }
            },
            DeValue::Float(float) => match float.as_str().parse().ok().and_then(Number::from_f64) {
                Some(number) => number.into(),
                None => {
                    cx.faults.at(&value.spot, "JSON has no such number").hint("write a finite number");
                    return None;
                }
            },
            DeValue::Array(_) => {
                let items = value.list(cx)?;
                let converted: Vec<_> = items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| {
                        let index = index.to_string();
                        self.convert(cx, item, &join(name, &index), &below(pointer, &index))
                    })
                    .collect();
                (converted.len() == items.len()).then_some(converted)?.into()
            }
            DeValue::Table(table) => {
                let entries: Map<_, _> = value
                    .table(cx)?
                    .entries()
                    .filter_map(|(key, item)| {
                        let json = self.convert(cx, &item, &join(name, key), &below(pointer, key))?;
                        Some((key.to_owned(), json))
                    })
                    .collect();
                (entries.len() == table.len()).then_some(entries)?.into()
            }
        })
    }
}

fn below(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

// A secret may stand in the settings as plain text until the plugin's schema tells that it is one.
impl fmt::Debug for PluginConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let settings: Vec<&String> = self.json.as_object().into_iter().flat_map(Map::keys).collect();
        f.debug_struct("PluginConfig")
            .field("settings", &settings)
            .field("secrets", &self.secrets)
            .finish_non_exhaustive()
    }
}
