//! One pass over the top level of a body. Values are borrowed slices: a backup of many megabytes is never built up
//! as a tree (that costs twenty times the scan), and nesting of any depth costs no stack.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The values of the top level that tell kinds apart, as raw JSON.
#[derive(Debug, Default)]
pub(super) struct TopLevel<'a> {
    pub(super) action: Raw<'a>,
    pub(super) collection: Raw<'a>,
    pub(super) collection_name: Raw<'a>,
    pub(super) collection_uid: Raw<'a>,
    pub(super) environment_name: Raw<'a>,
    pub(super) environment_uid: Raw<'a>,
    pub(super) metrics: Raw<'a>,
    pub(super) model: Raw<'a>,
    pub(super) monitor_name: Raw<'a>,
    pub(super) monitor_uid: Raw<'a>,
    /// Whether any key begins with `monitor_`.
    pub(super) monitor_field: bool,
}

/// A JSON value as it stands in the body; empty when the key was not there.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Raw<'a>(&'a str);

impl<'a> Raw<'a> {
    pub(super) fn is_present(self) -> bool {
        !self.0.is_empty() && self.0 != "null"
    }

    pub(super) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(super) fn json(self) -> &'a str {
        self.0
    }
}

/// Scans `body`, or says in a note why it is no JSON object.
pub(super) fn top_level(body: &str) -> Result<TopLevel<'_>, String> {
    serde_json::from_str(body).map_err(|error| {
        if error.is_data() {
            "the body is not a JSON object".to_owned()
        } else {
            format!("the body is not JSON: {error}")
        }
    })
}

/// The body with byte order marks blanked out and every offset kept; `None` when there are none.
pub(super) fn without_marks(body: &str) -> Option<String> {
    body.contains(BYTE_ORDER_MARK).then(|| body.replace(BYTE_ORDER_MARK, "   "))
}

impl<'de: 'a, 'a> Deserialize<'de> for TopLevel<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not derived: a derived struct takes a JSON array for an object and refuses repeated keys.
        deserializer.deserialize_map(TopLevelVisitor)
    }
}

struct TopLevelVisitor;

impl<'de> Visitor<'de> for TopLevelVisitor {
    type Value = TopLevel<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut top = TopLevel::default();
        while let Some(key) = map.next_key::<Key>()? {
            let field = match key {
                Key::Action => &mut top.action,
                Key::Collection => &mut top.collection,
                Key::CollectionName => &mut top.collection_name,
                Key::CollectionUid => &mut top.collection_uid,
                Key::EnvironmentName => &mut top.environment_name,
                Key::EnvironmentUid => &mut top.environment_uid,
                Key::Metrics => &mut top.metrics,
                Key::Model => &mut top.model,
                Key::MonitorName => &mut top.monitor_name,
                Key::MonitorUid => &mut top.monitor_uid,
                Key::OtherMonitor | Key::Other => {
                    top.monitor_field |= matches!(key, Key::OtherMonitor);
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            *field = Raw(map.next_value::<&'de RawValue>()?.get());
            top.monitor_field |= matches!(key, Key::MonitorName | Key::MonitorUid);
        }
        Ok(top)
    }
}

#[derive(Clone, Copy)]
enum Key {
    Action,
    Collection,
    CollectionName,
    CollectionUid,
    EnvironmentName,
    EnvironmentUid,
    Metrics,
    Model,
    MonitorName,
    MonitorUid,
    OtherMonitor,
    Other,
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl Visitor<'_> for KeyVisitor {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E>(self, key: &str) -> Result<Key, E> {
                Ok(match key {
                    "action" => Key::Action,
                    "collection" => Key::Collection,
                    "collection_name" => Key::CollectionName,
                    "collection_uid" => Key::CollectionUid,
                    "environment_name" => Key::EnvironmentName,
                    "environment_uid" => Key::EnvironmentUid,
                    "metrics" => Key::Metrics,
                    "model" => Key::Model,
                    "monitor_name" => Key::MonitorName,
                    "monitor_uid" => Key::MonitorUid,
                    other if other.starts_with("monitor_") => Key::OtherMonitor,
                    _ => Key::Other,
                })
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}
