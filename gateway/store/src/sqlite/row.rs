//! Stored shapes and core types, each way once.

use std::{borrow::Cow, collections::BTreeMap, str::FromStr, time::Duration};

use postroom_core::{
    event::Facts,
    id::{EventId, RouteName},
    route::{Explanation, Reason},
    time::Timestamp,
};
use rusqlite::{Row, types::FromSql};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::reader::ReadError;

/// Reads the columns of a row one after the other. The first one is the row's number, for error messages.
pub(super) struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    table: &'static str,
    number: i64,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    pub(super) fn of(table: &'static str, row: &'row Row<'statement>) -> Result<Self, ReadError> {
        Ok(Self { row, table, number: row.get(0)?, next: 1 })
    }

    /// The row's number.
    pub(super) fn number(&self) -> i64 {
        self.number
    }

    /// The next column as it is.
    pub(super) fn take<T: FromSql>(&mut self) -> Result<T, ReadError> {
        let index = self.advance();
        self.row.get(index).map_err(|error| self.corrupt(index, &error.to_string()))
    }

    /// The next column as a text that names a member of a closed set, or NULL.
    pub(super) fn optional_name<T: FromStr>(&mut self) -> Result<Option<T>, ReadError> {
        let text = self.take::<Option<String>>()?;
        let parsed = text.map(|text| text.parse()).transpose();
        parsed.map_err(|_| self.corrupt(self.next - 1, "unknown name"))
    }

    /// The next column as a text that names a member of a closed set.
    pub(super) fn name<T: FromStr>(&mut self) -> Result<T, ReadError> {
        let name = self.optional_name()?;
        name.ok_or_else(|| self.corrupt(self.next - 1, "no name"))
    }

    /// The next column as JSON.
    pub(super) fn json<T: DeserializeOwned>(&mut self) -> Result<T, ReadError> {
        let text = self.take::<String>()?;
        self.parsed(&text)
    }

    /// The next column as JSON, or NULL.
    pub(super) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ReadError> {
        let text = self.take::<Option<String>>()?;
        text.map(|text| self.parsed(&text)).transpose()
    }

    fn parsed<T: DeserializeOwned>(&self, text: &str) -> Result<T, ReadError> {
        serde_json::from_str(text).map_err(|error| {
            // The error's own text may repeat a value.
            let place = format!("not the expected JSON at line {} column {}", error.line(), error.column());
            self.corrupt(self.next - 1, &place)
        })
    }

    /// The next column as a count, which is never negative.
    pub(super) fn count(&mut self) -> Result<u64, ReadError> {
        let count = self.take::<i64>()?;
        u64::try_from(count).map_err(|_| self.corrupt(self.next - 1, "negative"))
    }

    pub(super) fn event_id(&mut self) -> Result<EventId, ReadError> {
        self.take().map(EventId::from_bytes)
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, ReadError> {
        self.take().map(Timestamp::from_unix_ms)
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Timestamp>, ReadError> {
        Ok(self.take::<Option<i64>>()?.map(Timestamp::from_unix_ms))
    }

    pub(super) fn optional_duration(&mut self) -> Result<Option<Duration>, ReadError> {
        let ms = self.take::<Option<i64>>()?.map(u64::try_from).transpose();
        ms.map(|ms| ms.map(Duration::from_millis)).map_err(|_| self.corrupt(self.next - 1, "negative"))
    }

    /// An error about this row that does not repeat its content.
    pub(super) fn corrupt(&self, column: usize, cause: &str) -> ReadError {
        let column = self.row.as_ref().column_name(column).unwrap_or("?");
        ReadError::Corrupt { table: self.table, row: self.number, cause: format!("{column}: {cause}") }
    }

    fn advance(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }
}

/// What was read, or `None` for a row that cannot be read: that is told, and the rows around it stay in use.
pub(super) fn pass_over<T>(read: Result<T, ReadError>) -> Result<Option<T>, ReadError> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(ReadError::Corrupt { table, row, cause }) => {
            tracing::error!(table, row, cause, "a row cannot be read, it is passed over");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A count as it is stored.
pub(super) fn saturated(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A duration as it is stored.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn facts_json(facts: &Facts) -> String {
    json(&StoredFacts::from(facts))
}

pub(super) fn labels_json(labels: &BTreeMap<String, String>) -> String {
    json(labels)
}

pub(super) fn explanations_json<'a>(explanations: impl Iterator<Item = &'a Explanation>) -> String {
    json(&explanations.map(StoredExplanation::from).collect::<Vec<_>>())
}

/// A value of this crate's own as JSON.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, lists and maps with text keys can always be written as JSON")
}

/// The facts of an event as JSON; what the body did not say is left out.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredFacts<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monitor_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    monitor_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    collection_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment_name: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment_id: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    action: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<Cow<'a, str>>,
}

impl<'a> From<&'a Facts> for StoredFacts<'a> {
    fn from(facts: &'a Facts) -> Self {
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        Self {
            monitor_name: text(&facts.monitor_name),
            monitor_id: text(&facts.monitor_id),
            collection_name: text(&facts.collection_name),
            collection_id: text(&facts.collection_id),
            environment_name: text(&facts.environment_name),
            environment_id: text(&facts.environment_id),
            action: text(&facts.action),
            model: text(&facts.model),
        }
    }
}

impl From<StoredFacts<'_>> for Facts {
    fn from(stored: StoredFacts<'_>) -> Self {
        let text = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        Self {
            monitor_name: text(stored.monitor_name),
            monitor_id: text(stored.monitor_id),
            collection_name: text(stored.collection_name),
            collection_id: text(stored.collection_id),
            environment_name: text(stored.environment_name),
            environment_id: text(stored.environment_id),
            action: text(stored.action),
            model: text(stored.model),
        }
    }
}

/// One route's answer as JSON.
#[derive(Serialize, Deserialize)]
pub(super) struct StoredExplanation<'a> {
    route: Cow<'a, str>,
    matched: bool,
    reasons: Vec<StoredReason<'a>>,
}

#[derive(Serialize, Deserialize)]
struct StoredReason<'a> {
    condition: Cow<'a, str>,
    wanted: Cow<'a, str>,
    found: Cow<'a, str>,
    holds: bool,
}

impl<'a> From<&'a Explanation> for StoredExplanation<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let reason = |reason: &'a Reason| StoredReason {
            condition: Cow::Borrowed(&reason.condition),
            wanted: Cow::Borrowed(&reason.wanted),
            found: Cow::Borrowed(&reason.found),
            holds: reason.holds,
        };
        Self {
            route: Cow::Borrowed(explanation.route.as_str()),
            matched: explanation.matched,
            reasons: explanation.reasons.iter().map(reason).collect(),
        }
    }
}

impl From<StoredExplanation<'_>> for Explanation {
    fn from(stored: StoredExplanation<'_>) -> Self {
        let reason = |reason: StoredReason<'_>| Reason {
            condition: reason.condition.into_owned(),
            wanted: reason.wanted.into_owned(),
            found: reason.found.into_owned(),
            holds: reason.holds,
        };
        Self {
            route: RouteName::new(stored.route.as_ref()),
            matched: stored.matched,
            reasons: stored.reasons.into_iter().map(reason).collect(),
        }
    }
}
