//! Tells Postman's webhooks apart by the shape of the body, because they carry no type.
//!
//! The rules, in order; the body must be a JSON object:
//! 1. `metrics` is an object and there is any `monitor_*` field: a monitor run.
//! 2. `collection` is an object: a collection backup.
//! 3. `action` and `model` are both there: an activity.
//! 4. Anything else is unrecognised, kept as it is, with a note.
//!
//! A repeated key counts with its last value, as in JavaScript's `JSON.parse`, which is what the receivers of these
//! bodies use. A byte order mark before a value is passed over. Nothing here fails: a body that cannot be read is
//! data with a note, not an error.

mod fields;
mod postman;
mod scan;

use self::scan::TopLevel;
use crate::event::{Facts, Kind, Verdict};

/// Version of these rules; stored with each event so that old decisions stay explicable.
pub const VERSION: u32 = 1;

/// What a body turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classification {
    /// What it is.
    pub kind: Kind,
    /// The monitor's or collection's id, without owner prefix.
    pub subject: Option<String>,
    /// Events with the same key are delivered in order.
    pub ordering_key: String,
    /// Only for monitor runs.
    pub verdict: Option<Verdict>,
    /// Fields for routes and lists.
    pub facts: Facts,
    /// Why the body was not recognised.
    pub note: Option<String>,
}

/// Recognises `body`, which came in by the source called `source`.
///
/// The source's name only serves as ordering key for bodies that name no subject.
#[must_use]
pub fn classify(body: &[u8], source: &str) -> Classification {
    try_classify(body, source).unwrap_or_else(|note| unrecognized(note, source))
}

fn try_classify(body: &[u8], source: &str) -> Result<Classification, String> {
    if body.is_empty() {
        return Err("the body is empty".to_owned());
    }
    let text = std::str::from_utf8(body).map_err(|_| "the body is not valid UTF-8".to_owned())?;
    match scan::top_level(text) {
        Ok(top) => Ok(judge(&top, source)),
        Err(note) => {
            let readable = scan::without_marks(text).ok_or(note)?;
            scan::top_level(&readable).map(|top| judge(&top, source))
        }
    }
}

fn judge(top: &TopLevel<'_>, source: &str) -> Classification {
    if top.metrics.is_object() && top.monitor_field {
        postman::monitor_run(top, source)
    } else if top.collection.is_object() {
        postman::collection_backup(top, source)
    } else if top.action.is_present() && top.model.is_present() {
        postman::activity(top, source)
    } else {
        unrecognized("a JSON object, but none of Postman's webhook shapes".to_owned(), source)
    }
}

fn unrecognized(note: String, source: &str) -> Classification {
    Classification {
        kind: Kind::Unrecognized,
        subject: None,
        ordering_key: format!("source:{source}"),
        verdict: None,
        facts: Facts::default(),
        note: Some(note),
    }
}

#[cfg(test)]
mod tests;
