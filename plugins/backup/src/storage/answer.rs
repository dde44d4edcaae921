//! What it means when a service refuses.
//!
//! The services spell the same few things differently, mostly as a word in the body. A word that none of them uses
//! otherwise means the same for all.

use std::time::Duration;

use chrono::DateTime;
use http::{
    HeaderMap, StatusCode,
    header::{LOCATION, RETRY_AFTER},
};
use postroom_sdk::Secret;
use serde_json::Value;
use url::Url;

use super::StorageError;

/// How a service calls things, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms {
    /// The service itself, such as "S3".
    pub(super) service: &'static str,
    /// The setting that says who we are.
    pub(super) credentials: &'static str,
    /// The setting that says where everything is.
    pub(super) place: &'static str,
    /// What is there, such as "the bucket".
    pub(super) place_is: &'static str,
}

/// Most of a message that is shown, in characters.
const CHARS_MAX: usize = 200;

const FULL: [&str; 8] = [
    "QuotaExceeded",
    "storageQuotaExceeded",
    "insufficient_space",
    "quotaLimitReached",
    "insufficientStorage",
    "storage_limit_exceeded",
    "XMinioStorageFull",
    "InsufficientStorage",
];
const LIMITED: [&str; 9] = [
    "rateLimitExceeded",
    "RateLimitExceeded",
    "too_many_requests",
    "too_many_write_operations",
    "SlowDown",
    "ServerBusy",
    "TooManyRequests",
    "activityLimitReached",
    "rate_limit_exceeded",
];
const NO_PLACE: [&str; 4] =
    ["NoSuchBucket", "ContainerNotFound", "The specified bucket does not exist", "ContainerBeingDeleted"];
const UNKNOWN_CALLER: [&str; 10] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AuthenticationFailed",
    "invalid_grant",
    "invalid_client",
    "unauthorized_client",
    "invalid_access_token",
    "expired_access_token",
];
const NOT_IMPLEMENTED: &str = "<Code>NotImplemented</Code>";
const OTHER_REGION: [&str; 3] =
    ["AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"];

/// The failure that an answer stands for; `None` when the caller has to see it: a success, or what depends on the
/// question, such as 404.
pub(super) fn failure(
    terms: &Terms,
    status: StatusCode,
    headers: &HeaderMap,
    body: &[u8],
    now_unix_ms: u64,
    secrets: &[Secret],
) -> Option<StorageError> {
    let region = headers.get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    if matches!(status.as_u16(), 301 | 302 | 303 | 307) {
        return Some(sent_on(terms, region, headers.get(LOCATION).and_then(|place| place.to_str().ok())));
    }
    if !status.is_client_error() && !status.is_server_error() {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    // An answer to HEAD has no body; Azure has the word in a header then.
    let word = headers.get("x-ms-error-code").and_then(|word| word.to_str().ok()).unwrap_or_default();
    let says = |words: &[&str]| words.iter().any(|wanted| text.contains(wanted) || word == *wanted);
    let why = why(terms, status, &text, word, secrets);
    let retry_after = headers
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| retry_after(value, now_unix_ms));

    Some(if says(&FULL) || status == StatusCode::INSUFFICIENT_STORAGE {
        StorageError::Full { why }
    } else if says(&LIMITED) || status == StatusCode::TOO_MANY_REQUESTS {
        match retry_after {
            Some(after) => StorageError::RateLimited { after, why },
            None => StorageError::Busy { after: None, why },
        }
    } else if says(&NO_PLACE) {
        StorageError::NotFound { setting: terms.place, what: format!("{} ({why})", terms.place_is) }
    } else if says(&OTHER_REGION) {
        other_region(region)
    } else if says(&["RequestTimeTooSkewed"]) {
        StorageError::Misconfigured { setting: "the clock of this machine", why }
    } else if says(&UNKNOWN_CALLER) || matches!(status.as_u16(), 401 | 403) {
        StorageError::Denied { setting: terms.credentials, why }
    } else if says(&[NOT_IMPLEMENTED]) || status == StatusCode::NOT_IMPLEMENTED {
        StorageError::Other { code: "not_implemented".to_owned(), why }
    } else if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT {
        StorageError::Busy { after: retry_after, why }
    } else if matches!(status.as_u16(), 404 | 405 | 409 | 412 | 416) {
        return None;
    } else {
        StorageError::Other { code: format!("http_{}", status.as_u16()), why }
    })
}

/// Sent on to another address, and not followed. S3 does so with requests that came to the wrong region.
fn sent_on(terms: &Terms, region: Option<&str>, location: Option<&str>) -> StorageError {
    if region.is_some() {
        return other_region(region);
    }
    // The rest of an address may be a secret.
    let origin =
        location.and_then(|place| Url::parse(place).ok()).map(|url| url.origin().ascii_serialization());
    let why = match origin {
        Some(origin) => format!("{} sends on to {origin}, and is not followed", terms.service),
        None => format!("{} sends on to another address, and is not followed", terms.service),
    };
    StorageError::Misconfigured { setting: terms.place, why }
}

fn other_region(region: Option<&str>) -> StorageError {
    let why = match region {
        Some(region) => format!("the bucket is in the region {region:?}"),
        None => "the bucket is in another region".to_owned(),
    };
    StorageError::Misconfigured { setting: "s3.region", why }
}

fn why(terms: &Terms, status: StatusCode, text: &str, word: &str, secrets: &[Secret]) -> String {
    let mut said = said(text);
    for secret in secrets.iter().filter(|secret| !secret.expose().is_empty()) {
        said = said.replace(secret.expose(), "***");
    }
    let said: String =
        said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(CHARS_MAX).collect();
    let said = if said.is_empty() { word } else { &said };
    if said.is_empty() {
        format!("{} answered {}", terms.service, status.as_u16())
    } else {
        format!("{} answered {}: {said}", terms.service, status.as_u16())
    }
}

/// The part of a body that is meant for people.
fn said(text: &str) -> String {
    let element = |name: &str| {
        let (_, rest) = text.split_once(&format!("<{name}>"))?;
        rest.split_once(&format!("</{name}>")).map(|(inner, _)| inner.to_owned())
    };
    if let Some(code) = element("Code") {
        return [Some(code), element("Message")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    }
    let Ok(json) = serde_json::from_str::<Value>(text) else {
        return if text.trim_start().starts_with('<') { String::new() } else { text.to_owned() };
    };
    let texts = [
        "/error/code",
        "/code",
        "/error",
        "/error/message",
        "/error_description",
        "/error_summary",
        "/message",
    ];
    let texts = texts.iter().filter_map(|pointer| json.pointer(pointer)?.as_str());
    texts.collect::<Vec<_>>().join(": ")
}

/// How long a `Retry-After` asks to wait: seconds, or a date.
pub(super) fn retry_after(value: &str, now_unix_ms: u64) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = DateTime::parse_from_rfc2822(value.trim()).ok()?;
    let until_unix_ms = u64::try_from(until.timestamp_millis()).ok()?;
    Some(Duration::from_millis(until_unix_ms.saturating_sub(now_unix_ms)))
}

#[cfg(test)]
mod tests;
