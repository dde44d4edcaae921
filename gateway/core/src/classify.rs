//! Tells Postman's webhooks apart by the shape of the body, because they carry no type.
//!
//! The rules, in order; the body must be a JSON object:
//! 1. `metrics` is an object and there is any `monitor_*` field: a monitor run.
//! 2. `collection` is an object: a collection backup.
//! 3. `action` and `model` are both there: an activity.
//! 4. Anything else is unrecognised, kept as it is, with a note.
//!
//! A repeated key counts with its last value, as in JavaScript's `JSON.parse`, which is what the receivers of these
//! bodies use. A byte order mark between values is passed over. Nothing here fails: a body that cannot be read is data
//! with a note, not an error.
//!
//! A body goes through in pieces and is never held: a backup of many megabytes costs no more memory than a monitor run.

mod found;
mod postman;
mod scan;
mod text;
mod utf8;

use std::io::{self, Read};

use self::{
    found::{Field, Found},
    scan::{Fault, Scan},
    utf8::Utf8,
};
use crate::{
    event::{Facts, Kind, Verdict},
    monitor::Numbers,
};

/// Version of these rules; stored with each event so that old decisions stay explicable.
pub const VERSION: u32 = 1;

/// Bytes that are read at a time.
const PIECE_BYTES: usize = 64 * 1024;

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
    let mut classifier = Classifier::default();
    classifier.push(body);
    classifier.finish(source)
}

/// Recognises a body as it is read: the same answer as [`classify`] on the same bytes.
///
/// # Errors
/// When `body` cannot be read.
pub fn classify_reader(mut body: impl Read, source: &str) -> io::Result<Classification> {
    let mut classifier = Classifier::default();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match body.read(&mut piece) {
            Ok(0) => return Ok(classifier.finish(source)),
            Ok(bytes) => classifier.push(&piece[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What a monitor run counted. A body that cannot be read, or is none of a run, has no numbers.
#[must_use]
pub fn numbers(body: &[u8]) -> Numbers {
    let mut scan = Scan::with_numbers();
    let found = scan.push(body).and_then(|()| scan.finish());
    found.map(|found| postman::numbers(&found)).unwrap_or_default()
}

/// What a monitor run counted, read piece by piece: the same answer as [`numbers`] on the same bytes.
///
/// # Errors
/// When `body` cannot be read.
pub fn numbers_reader(mut body: impl Read) -> io::Result<Numbers> {
    let (mut scan, mut piece, mut fault) = (Scan::with_numbers(), vec![0; PIECE_BYTES], false);
    loop {
        match body.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => fault |= scan.push(&piece[..bytes]).is_err(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if fault {
            return Ok(Numbers::default());
        }
    }
    Ok(scan.finish().map(|found| postman::numbers(&found)).unwrap_or_default())
}

/// A body on its way through.
#[derive(Default)]
struct Classifier {
    utf8: Utf8,
    scan: Scan,
    fault: Option<Fault>,
    any_bytes: bool,
}

impl Classifier {
    fn push(&mut self, piece: &[u8]) {
        self.any_bytes |= !piece.is_empty();
        // Bytes that are no text are worth a note of their own, also behind a fault.
        self.utf8.push(piece);
        if self.fault.is_none() {
            self.fault = self.scan.push(piece).err();
        }
    }

    fn finish(self, source: &str) -> Classification {
        let found = if !self.any_bytes {
            Err("the body is empty".to_owned())
        } else if !self.utf8.is_valid() {
            Err("the body is not valid UTF-8".to_owned())
        } else {
            self.fault.map_or_else(|| self.scan.finish(), Err).map_err(|fault| fault.to_string())
        };
        found.map_or_else(|note| unrecognized(note, source), |found| judge(found, source))
    }
}

fn judge(found: Found, source: &str) -> Classification {
    if found.is_object(Field::Metrics) && found.has_monitor_field() {
        postman::monitor_run(found, source)
    } else if found.is_object(Field::Collection) {
        postman::collection_backup(found, source)
    } else if found.is_present(Field::Action) && found.is_present(Field::Model) {
        postman::activity(found, source)
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
