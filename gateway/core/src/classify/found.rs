//! The few fields of a body that matter, gathered while it goes by.

use std::mem;

use super::text::Text;
use crate::limits::FACT_BYTES_MAX;

/// A field that matters. What is in an object follows it: see [`Found::set`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Action,
    Model,
    MonitorName,
    MonitorUid,
    CollectionName,
    CollectionUid,
    EnvironmentName,
    EnvironmentUid,
    Metrics,
    FailedTests,
    FailedTestCount,
    Errors,
    ErrorCount,
    PassedTests,
    PassedTestCount,
    Warnings,
    WarningCount,
    RequestCount,
    TotalLatency,
    Collection,
    RootName,
    RootPostmanId,
    RootUid,
    RootId,
    Info,
    InfoName,
    InfoPostmanId,
    InfoUid,
    InfoId,
}

const FIELDS: usize = Field::InfoId as usize + 1;
/// Longer than every key that matters.
const KEY_BYTES_MAX: usize = 32;

/// The value of a field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Value {
    #[default]
    Missing,
    Null,
    Object,
    Text(String),
    Number(String),
    Other,
}

/// An object whose keys matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Place {
    #[default]
    Elsewhere,
    Top,
    Metrics,
    Collection,
    Info,
}

#[derive(Debug, Default)]
pub(super) struct Found {
    values: [Value; FIELDS],
    monitor_field: bool,
    /// The key or value under way, if it matters.
    text: Text,
    keeps_text: bool,
    /// Where the next value goes.
    field: Option<Field>,
    /// Also keeps the numbers of a run that say nothing about what the body is.
    all_numbers: bool,
}

impl Found {
    /// Keeps all numbers of a run.
    pub(super) fn with_numbers() -> Self {
        Self { all_numbers: true, ..Self::default() }
    }

    pub(super) fn begin_key(&mut self, place: Place) {
        self.keeps_text = place != Place::Elsewhere;
        self.text.begin(KEY_BYTES_MAX);
    }

    pub(super) fn end_key(&mut self, place: Place) {
        let key = if self.keeps_text { self.text.finish().unwrap_or_default() } else { "" };
        self.monitor_field |= place == Place::Top && key.starts_with("monitor_");
        self.field =
            field(place, key).or_else(|| if self.all_numbers { number_field(place, key) } else { None });
        self.keeps_text = false;
    }

    /// Begins the value of the last key; gives which object that is, should it be one.
    pub(super) fn begin_object(&mut self, in_root: bool) -> Place {
        let place = match self.field {
            None if in_root => Place::Top,
            Some(Field::Metrics) => Place::Metrics,
            Some(Field::Collection) => Place::Collection,
            Some(Field::Info) => Place::Info,
            _ => Place::Elsewhere,
        };
        self.set(Value::Object);
        place
    }

    pub(super) fn begin_text(&mut self) {
        self.keeps_text = self.field.is_some();
        self.text.begin(FACT_BYTES_MAX);
    }

    pub(super) fn end_text(&mut self) {
        if self.keeps_text {
            let value = self.text.finish().map_or(Value::Other, |text| Value::Text(text.to_owned()));
            self.set(value);
            self.keeps_text = false;
        }
    }

    pub(super) fn end_number(&mut self) {
        if self.keeps_text {
            let cut = self.text.is_cut();
            let number = self.text.finish().filter(|_| !cut);
            let value = number.map_or(Value::Other, |number| Value::Number(number.to_owned()));
            self.set(value);
            self.keeps_text = false;
        }
    }

    pub(super) fn push_text(&mut self, bytes: &[u8]) {
        if self.keeps_text {
            self.text.push(bytes);
        }
    }

    pub(super) fn push_unit(&mut self, unit: u32) {
        if self.keeps_text {
            self.text.push_unit(unit);
        }
    }

    /// Gives the field of the last key its value. A repeated key counts with its last value, so what an earlier object
    /// had in it is forgotten.
    pub(super) fn set(&mut self, value: Value) {
        let Some(field) = self.field.take() else { return };
        let last = match field {
            Field::Metrics => Field::TotalLatency,
            Field::Collection | Field::Info => Field::InfoId,
            _ => field,
        };
        self.values[field as usize..=last as usize].fill(Value::Missing);
        self.values[field as usize] = value;
    }

    pub(super) fn has_monitor_field(&self) -> bool {
        self.monitor_field
    }

    pub(super) fn is_object(&self, field: Field) -> bool {
        self.values[field as usize] == Value::Object
    }

    pub(super) fn is_present(&self, field: Field) -> bool {
        !matches!(self.values[field as usize], Value::Missing | Value::Null)
    }

    /// Takes a field's text; `None` for anything else and for a blank string.
    pub(super) fn take_text(&mut self, field: Field) -> Option<String> {
        match mem::take(&mut self.values[field as usize]) {
            Value::Text(text) if !text.trim().is_empty() => Some(text),
            _ => None,
        }
    }

    /// Takes an id without owner prefix: `127862-711a2044-c4fc-441b-b169-233c07489031` → `711a2044-…`.
    ///
    /// Only a whole UUID behind the prefix counts: the first group of a plain UUID can be all digits too.
    pub(super) fn take_id(&mut self, field: Field) -> Option<String> {
        let mut id = self.take_text(field)?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some((owner, rest)) = id.split_once('-')
            && is_number(owner)
            && uuid::Uuid::try_parse(rest).is_ok()
        {
            id.drain(..=owner.len());
        }
        Some(id)
    }

    /// A counter in the first of `fields` that holds one: a number, or a string that is a number.
    pub(super) fn counter(&self, fields: impl IntoIterator<Item = Field>) -> Option<f64> {
        fields.into_iter().find_map(|field| {
            let (Value::Text(number) | Value::Number(number)) = &self.values[field as usize] else {
                return None;
            };
            number.trim().parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
        })
    }
}

fn field(place: Place, key: &str) -> Option<Field> {
    Some(match (place, key) {
        (Place::Top, "action") => Field::Action,
        (Place::Top, "model") => Field::Model,
        (Place::Top, "monitor_name") => Field::MonitorName,
        (Place::Top, "monitor_uid") => Field::MonitorUid,
        (Place::Top, "collection_name") => Field::CollectionName,
        (Place::Top, "collection_uid") => Field::CollectionUid,
        (Place::Top, "environment_name") => Field::EnvironmentName,
        (Place::Top, "environment_uid") => Field::EnvironmentUid,
        (Place::Top, "metrics") => Field::Metrics,
        (Place::Top, "collection") => Field::Collection,
        (Place::Metrics, "failedTests") => Field::FailedTests,
        (Place::Metrics, "failedTestCount") => Field::FailedTestCount,
        (Place::Metrics, "errors") => Field::Errors,
        (Place::Metrics, "errorCount") => Field::ErrorCount,
        (Place::Collection, "name") => Field::RootName,
        (Place::Collection, "_postman_id") => Field::RootPostmanId,
        (Place::Collection, "uid") => Field::RootUid,
        (Place::Collection, "id") => Field::RootId,
        (Place::Collection, "info") => Field::Info,
        (Place::Info, "name") => Field::InfoName,
        (Place::Info, "_postman_id") => Field::InfoPostmanId,
        (Place::Info, "uid") => Field::InfoUid,
        (Place::Info, "id") => Field::InfoId,
        _ => return None,
    })
}

/// Numbers of a run that say nothing about what the body is.
fn number_field(place: Place, key: &str) -> Option<Field> {
    Some(match (place, key) {
        (Place::Metrics, "passedTests") => Field::PassedTests,
        (Place::Metrics, "passedTestCount") => Field::PassedTestCount,
        (Place::Metrics, "warnings") => Field::Warnings,
        (Place::Metrics, "warningCount") => Field::WarningCount,
        (Place::Metrics, "requestCount") => Field::RequestCount,
        (Place::Metrics, "totalLatency") => Field::TotalLatency,
        _ => return None,
    })
}
