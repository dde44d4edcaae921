//! What an event is.

use std::borrow::Cow;

use poem_openapi::{
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type},
};
use serde_json::Value;

const NAME: &str = "Kind";
const NAME_BYTES_MAX: usize = 64;
/// What the contract says about a name.
const PATTERN: &str = "^[a-z0-9_]{1,64}$";

/// What an event is.
///
/// A type of our own, because the set is open: plugins make events of kinds that they name themselves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The result of a monitor run.
    MonitorRun,
    /// A whole collection.
    CollectionBackup,
    /// An entry of a team or collection activity feed.
    Activity,
    /// Anything else that came in; `note` says why.
    Unrecognized,
    /// An incident of a monitor opened.
    IncidentOpened,
    /// It is still open.
    IncidentReminder,
    /// It resolved.
    IncidentResolved,
    /// A monitor's runs stay away.
    MonitorSilent,
    /// They come again.
    MonitorResumed,
    /// A collection was not backed up for longer than it should.
    BackupOverdue,
    /// Made by a plugin.
    Emitted(String),
}

impl Kind {
    const OWN: [Self; 10] = [
        Self::MonitorRun,
        Self::CollectionBackup,
        Self::Activity,
        Self::Unrecognized,
        Self::IncidentOpened,
        Self::IncidentReminder,
        Self::IncidentResolved,
        Self::MonitorSilent,
        Self::MonitorResumed,
        Self::BackupOverdue,
    ];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::MonitorRun => "monitor_run",
            Self::CollectionBackup => "collection_backup",
            Self::Activity => "activity",
            Self::Unrecognized => "unrecognized",
            Self::IncidentOpened => "incident_opened",
            Self::IncidentReminder => "incident_reminder",
            Self::IncidentResolved => "incident_resolved",
            Self::MonitorSilent => "monitor_silent",
            Self::MonitorResumed => "monitor_resumed",
            Self::BackupOverdue => "backup_overdue",
            Self::Emitted(name) => name,
        }
    }

    fn parse(text: &str) -> ParseResult<Self> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=NAME_BYTES_MAX).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(ParseError::custom("expected the name of a kind: 1 to 64 of a-z, 0-9 and _"));
        }
        let own = Self::OWN.into_iter().find(|kind| kind.as_str() == text);
        Ok(own.unwrap_or_else(|| Self::Emitted(text.to_owned())))
    }
}

impl Type for Kind {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        NAME.into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Reference(NAME.to_owned())
    }

    fn register(registry: &mut Registry) {
        registry.create_schema::<Self, _>(NAME.to_owned(), |_| MetaSchema {
            description: Some(
                "What an event is: told by the shape of its body, or by the gateway or the plugin that made it.",
            ),
            pattern: Some(PATTERN.to_owned()),
            enum_items: Self::OWN.iter().map(|kind| Value::from(kind.as_str())).collect(),
            ..MetaSchema::new("string")
        });
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ToJSON for Kind {
    fn to_json(&self) -> Option<Value> {
        Some(Value::from(self.as_str()))
    }
}

impl ParseFromJSON for Kind {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Self::parse(&text),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ParseFromParameter for Kind {
    fn parse_from_parameter(text: &str) -> ParseResult<Self> {
        Self::parse(text)
    }
}
