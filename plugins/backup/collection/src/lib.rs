//! What a Postman collection is: what it says apart from generated ids, what changed between two of them, how it becomes
//! one of the newest format, and which secrets are in it.
//!
//! Everything here is a pure function over bytes or values. Nothing opens a file, a socket or a clock, and no bytes make
//! anything here panic.
#![forbid(unsafe_code)]

mod apply;
mod canonical;
mod convert;
mod diff;
mod ids;
mod json;
mod place;
mod render;
mod scan;
mod secrets;
mod tree;

#[cfg(test)]
mod testing;

pub use self::{
    apply::{ApplyError, apply},
    canonical::Hash,
    convert::{ConvertError, convert_to_v2_1},
    diff::{Change, Diff, FieldChange, How, What, diff, diff_in_brief},
    ids::without_ids,
    json::{DEPTH_MAX, Unreadable, to_value},
    scan::{Counts, Format, Scanned, Summary, scan},
    secrets::{Confidence, Finding, redact, secrets},
    tree::Tree,
};
