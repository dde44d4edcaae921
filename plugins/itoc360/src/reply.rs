//! What ITOC360 answers. Every field may be absent and new ones may come: nothing here makes a taken event fail.

use postroom_sdk::{Failure, http::Response};
use serde_json::{Map, Value, json};

use crate::alertmanager::Status;

/// Longest text of a reply that is recorded, in bytes; what ITOC360 sends is far shorter.
const TEXT_BYTES_MAX: usize = 256;

/// The answer to an event that was taken.
#[derive(Debug)]
pub(crate) struct Reply(Map<String, Value>);

impl Reply {
    /// `None` when the answer is no JSON object, so perhaps none of ITOC360.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok().map(Self)
    }

    /// What is kept with the delivery.
    pub(crate) fn record(&self) -> Value {
        let fields = ["id", "type", "fingerprint"].into_iter();
        let fields: Map<_, _> =
            fields.filter_map(|key| Some((key.to_owned(), self.text(key)?.into()))).collect();
        json!({ "itoc360": fields })
    }

    /// A sentence when ITOC360 took the beginning of an incident for its end, or the other way round.
    pub(crate) fn contradiction(&self, status: Option<Status>) -> Option<String> {
        let (expected, says) = match status? {
            Status::Firing => ("ALERT", "failed"),
            Status::Resolved => ("RESOLVE", "passed"),
        };
        let type_ = self.text("type").filter(|type_| *type_ != expected)?;
        Some(format!(
            "the run has {says}, but ITOC360 took it as {type_}: check that the source's provider fits the mode"
        ))
    }

    /// One of the texts in it; cut.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        let text = self.0.get(key)?.as_str()?;
        Some(&text[..text.floor_char_boundary(TEXT_BYTES_MAX)])
    }
}

/// What an answer other than 2xx means. ITOC360 has its own words for some; the rest is as everywhere.
pub(crate) fn failure(response: &Response) -> Failure {
    let status = response.status();
    let remedy = match status {
        401 => "ITOC360 does not know the token: copy it again from the source's page",
        404 if says(response, "source not found") => {
            "ITOC360 has no source for the token: it may have been deleted; copy the token of another one"
        }
        // A page instead of an error of ITOC360's speaks of the address, which is the same for every run.
        404 | 405 | 410 if !is_own_error(response) => "there is no ITOC360 at this address: check `base_url`",
        402 => "the ITOC360 subscription is inactive: renew it",
        300..=399 => "ITOC360 is not at this address: check `base_url`; redirects are not followed",
        _ => return response.failure(),
    };
    Failure::misconfigured(format!("http_{status}"), format!("{remedy} ({})", response.failure()))
}

/// Whether an answer is an error in ITOC360's own form.
fn is_own_error(response: &Response) -> bool {
    let answer: Value = response.json().unwrap_or_default();
    ["error", "message"].into_iter().any(|key| answer[key].is_string())
}

/// Whether the error of an answer contains `text`, in any case.
fn says(response: &Response, text: &str) -> bool {
    let answer: Value = response.json().unwrap_or_default();
    let errors = ["error", "message"].into_iter().filter_map(|key| answer[key].as_str());
    errors.into_iter().any(|error| error.to_ascii_lowercase().contains(text))
}
