//! Reads what Postman's API answers about runs.
//!
//! Postman describes these answers in words only. So nothing rests on one spelling: a list may stand alone or under a name,
//! and a field may have one of several names. What cannot be found is absent, and what is absent matches nothing.

use std::time::Duration;

use postroom_core::{monitor::Run, time::Timestamp};
use postroom_engine::Failure;
use serde_json::{Map, Value};

/// An execution ends at most so long before its webhook comes.
const BEFORE_MAX: Duration = Duration::from_secs(2 * 60);
/// By how much Postman's clock may be ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(10);
/// Failures that are read out of one answer.
const FAILURES_MAX: usize = 50;
/// Longest text that is kept.
const TEXT_CHARS_MAX: usize = 500;
/// Longest id that is asked about; Postman's have 36 characters.
const ID_BYTES_MAX: usize = 100;
/// How deep an answer may be nested before the rest is left out.
const DEPTH_MAX: usize = 32;

const ENDED: [&str; 6] = ["finishedAt", "completedAt", "endedAt", "finished_at", "completed_at", "updatedAt"];
const COUNTS: [&str; 4] = ["stats", "results", "result", "summary"];

/// An execution of a monitor: one for each time that it was due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Execution {
    pub(super) id: String,
    /// It says itself that as many tests failed as in the webhook.
    pub(super) is_sure: bool,
}

/// The run of an execution in one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) id: String,
    failed_tests: Option<u32>,
    pub(super) is_sure: bool,
}

impl Execution {
    /// The newest that ended shortly before the webhook of `run` came and does not count other failures.
    pub(super) fn matching(answer: &Value, run: &Run) -> Option<Self> {
        let candidates = list(answer, &["executions", "data", "items"]).iter().filter_map(|execution| {
            let ended = ENDED.iter().find_map(|name| moment(execution.get(name)?))?;
            let in_time = ended <= run.at.plus(AHEAD_MAX) && ended.until(run.at) <= BEFORE_MAX;
            let counted = failed_tests(execution);
            let differs = counted.is_some() && counted != run.numbers.failed_tests;
            let found = Self { id: id(execution, "executionId")?, is_sure: counted.is_some() };
            (in_time && !differs).then_some((ended, found))
        });
        candidates.max_by_key(|(ended, _)| *ended).map(|(_, execution)| execution)
    }
}

impl Region {
    pub(super) fn all(answer: &Value) -> Vec<Self> {
        let regions = list(answer, &["runs", "data", "items"]).iter();
        let region = |region: &Value| {
            Some(Self { id: id(region, "runId")?, failed_tests: failed_tests(region), is_sure: false })
        };
        regions.filter_map(region).collect()
    }

    /// Those that may be the run: the ones that count as many failed tests first, then those that do not count.
    pub(super) fn likely(regions: &[Self], run: &Run) -> Vec<Self> {
        let (counted, uncounted): (Vec<_>, Vec<_>) =
            regions.iter().cloned().partition(|it| it.failed_tests.is_some());
        let same = counted.into_iter().filter(|region| region.failed_tests == run.numbers.failed_tests);
        same.map(|region| Self { is_sure: true, ..region }).chain(uncounted).collect()
    }
}

/// Whether the results have as many failures as the webhook counts.
pub(super) fn agree(failures: &[Failure], run: &Run) -> bool {
    let counted = run.numbers.failed_tests.unwrap_or(0).saturating_add(run.numbers.errors.unwrap_or(0));
    failures.len() == usize::try_from(counted).unwrap_or(usize::MAX).min(FAILURES_MAX)
}

/// The assertions that failed, in order, each with the request that it belongs to.
pub(super) fn failures(results: &Value) -> Vec<Failure> {
    let mut log = Log::default();
    log.read(results, 0);
    log.failures
}

#[derive(Default)]
struct Log {
    /// The request that the log is at.
    request: Option<String>,
    failures: Vec<Failure>,
}

impl Log {
    fn read(&mut self, value: &Value, depth: usize) {
        if depth > DEPTH_MAX || self.failures.len() >= FAILURES_MAX {
            return;
        }
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.read(value, depth + 1)),
            Value::Object(object) => {
                if let Some(name) = item_name(object) {
                    self.request = Some(name);
                }
                match self.failure(object) {
                    Some(failure) => self.failures.push(failure),
                    None => object.values().for_each(|value| self.read(value, depth + 1)),
                }
            }
            _ => {}
        }
    }

    /// The failure that `object` is, if it is an assertion that failed.
    fn failure(&self, object: &Map<String, Value>) -> Option<Failure> {
        let assertion = match object.get("assertion") {
            Some(Value::String(_)) => object,
            Some(Value::Object(assertion)) => assertion,
            _ if is_event(object, "assertion") => {
                object.get("data").and_then(Value::as_object).unwrap_or(object)
            }
            _ => return None,
        };
        let error = assertion.get("error").filter(|error| !error.is_null());
        let failed = error.is_some()
            || assertion.get("passed") == Some(&Value::Bool(false))
            || matches!(assertion.get("status").and_then(Value::as_str), Some("failed" | "failure"));
        if !failed {
            return None;
        }
        let name = ["assertion", "name", "test"].iter().find_map(|name| text(assertion.get(*name)?));
        let error = error.and_then(|error| text(error.get("message").unwrap_or(error)));
        Some(Failure {
            name: name.unwrap_or_else(|| "a test".to_owned()),
            request: self.request.clone(),
            error,
        })
    }
}

/// The name of the request that an entry of a log begins.
fn item_name(object: &Map<String, Value>) -> Option<String> {
    let of_item = |value: &Value| text(value.get("item")?.get("name")?);
    let begins = is_event(object, "beforeItem");
    let data = object.get("data");
    let item = object.get("item").and_then(|item| text(item.get("name")?));
    item.or_else(|| data.and_then(of_item)).or_else(|| {
        let name = data.and_then(|data| data.get("name")).or_else(|| object.get("name"))?;
        if begins { text(name) } else { None }
    })
}

fn is_event(object: &Map<String, Value>, wanted: &str) -> bool {
    ["event", "type"].iter().any(|name| object.get(*name).and_then(Value::as_str) == Some(wanted))
}

fn list<'a>(answer: &'a Value, names: &[&str]) -> &'a [Value] {
    let named = names.iter().find_map(|name| answer.get(name)?.as_array());
    named.or_else(|| answer.as_array()).map_or(&[], Vec::as_slice)
}

fn id(value: &Value, name: &str) -> Option<String> {
    let id = value.get("id").or_else(|| value.get(name))?;
    let id = id.as_str().map(str::to_owned).or_else(|| id.as_u64().map(|number| number.to_string()));
    id.filter(|id| id.len() <= ID_BYTES_MAX)
}

fn failed_tests(value: &Value) -> Option<u32> {
    let counts =
        COUNTS.iter().find_map(|name| value.get(name).filter(|counts| counts.is_object())).unwrap_or(value);
    let of_assertions = || counts.get("assertions").or_else(|| counts.get("tests"))?.get("failed")?.as_u64();
    let plain =
        || ["failedTests", "failedAssertions", "failed"].iter().find_map(|name| counts.get(name)?.as_u64());
    u32::try_from(of_assertions().or_else(plain)?).ok()
}

fn moment(value: &Value) -> Option<Timestamp> {
    let ms = match value {
        Value::String(text) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
        Value::Number(ms) => ms.as_i64()?,
        _ => return None,
    };
    Some(Timestamp::from_unix_ms(ms))
}

/// A text in one line, and not too long.
fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|char| !char.is_control()).take(TEXT_CHARS_MAX).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
