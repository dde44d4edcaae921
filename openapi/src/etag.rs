//! Answers that are not sent again while they stay the same. Done for all that read and answer JSON, after the handler:
//! the answer is made, only not sent.

use poem::{
    Response,
    http::{HeaderValue, StatusCode, header},
};
use sha2::{Digest as _, Sha256};

/// Bytes of a tag. Two answers that share one would be taken for the same.
const TAG_BYTES: usize = 16;

/// Gives a good JSON answer its `ETag`, or 304 in its place when the caller has it already. `known` is what the caller
/// sent as `If-None-Match`.
pub(crate) async fn conditional(mut response: Response, known: Option<HeaderValue>) -> Response {
    let is_json = |kind: &HeaderValue| kind.as_bytes().starts_with(b"application/json");
    if response.status() != StatusCode::OK
        || !response.headers().get(header::CONTENT_TYPE).is_some_and(is_json)
    {
        return response;
    }
    let Ok(body) = response.take_body().into_bytes().await else {
        return crate::problem::Failure::internal().into_problem(None);
    };
    let tag = tag(&body);
    if known.is_some_and(|known| is_known(&known, &tag)) {
        response.set_status(StatusCode::NOT_MODIFIED);
        response.headers_mut().remove(header::CONTENT_TYPE);
    } else {
        response.set_body(body);
    }
    if !response.headers().contains_key(header::CACHE_CONTROL) {
        // Who asks decides what it says, so only whoever asked may keep it, and asks each time whether it still holds.
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        headers.insert(header::VARY, HeaderValue::from_static("Authorization, Cookie"));
    }
    if let Ok(tag) = HeaderValue::try_from(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

fn tag(body: &[u8]) -> String {
    let digest = Sha256::digest(body);
    let hex: String = digest.iter().take(TAG_BYTES).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hex}\"")
}

/// Whether `tag` is among those that the caller knows. Compared weakly, as the header asks for.
fn is_known(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests;
