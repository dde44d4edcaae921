//! What the vendor's own SDK sends to ITOC360, kept in `itoc360/vendor.json`. `cargo xtask vendor-sdk` compares it with what
//! the SDK sends now.

use std::fs;

use serde_json::{Value, json};

use super::Request;

/// The file of the golden.
pub const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/doubles/itoc360/vendor.json");
/// Texts and labels of a destination whose alerts are those of the SDK's script.
pub const TEXTS: &str = "summary = \"{monitor} {status}\", \
    description = \"{failed_tests} failed tests in {requests} requests\", labels = { team = \"payments\" }";

/// The requests that the SDK sends: an alert, its end, and a run of a monitor.
///
/// # Panics
/// When the file is not there or no list.
#[must_use]
pub fn golden() -> Vec<Value> {
    let golden = fs::read(GOLDEN).expect("the golden file is there");
    let golden: Value = serde_json::from_slice(&golden).expect("the golden file is JSON");
    golden.as_array().expect("the golden file has a list").clone()
}

/// A request as it stands in the golden file: without what tells one sender from another, and without times.
///
/// # Panics
/// When the body is not JSON.
#[must_use]
pub fn shown(request: &Request) -> Value {
    let mut body = request.json();
    for time in ["/alerts/0/startsAt", "/alerts/0/endsAt"] {
        if let Some(time) = body.pointer_mut(time) {
            *time = form(time).into();
        }
    }
    json!({
        "method": request.method.as_str(),
        "target": request.target,
        "authorization": request.header("authorization"),
        "content_type": request.header("content-type"),
        "accept": request.header("accept"),
        "body": body,
    })
}

/// A text with 0 for every digit.
fn form(text: &Value) -> String {
    let text = text.as_str().unwrap_or_default();
    text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect()
}
