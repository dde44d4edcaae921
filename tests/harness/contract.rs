//! Holds what the gateway answers against its OpenAPI document, strictly: a status, a media type or a field that the
//! document does not name is a fault.

mod document;
mod schema;

use document::{DOCUMENT, Described};
use http::{HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use serde_json::Value;

use super::Answer;

/// The operations of the document by their ids.
pub fn operations() -> impl Iterator<Item = &'static str> {
    DOCUMENT.operations().map(|operation| &*operation.id)
}

/// The operation that a request means; `None` when the document has none for it.
#[must_use]
pub fn operation_of(method: &Method, path: &str) -> Option<&'static str> {
    match DOCUMENT.find(method, path) {
        Described::Operation(operation) => Some(&operation.id),
        Described::OtherMethods(_) | Described::Nothing => None,
    }
}

/// Checks an answer. One to a request that the document does not speak of is left alone, unless it should be a 405.
///
/// # Panics
/// When the answer is not what the document says.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    if let Err(fault) = fault_of(method, path, answer) {
        panic!(
            "{method} {path} is answered against the document: {fault}\n{} {:?}\n{}",
            answer.status,
            answer.headers,
            answer.text()
        );
    }
}

/// Checks a problem that is shown somewhere.
///
/// # Panics
/// When no answer could be it.
pub fn check_problem(problem: &Value) {
    let path = "/api/v1/events";
    let headers = [(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"))];
    let status = problem["status"].as_u64().and_then(|status| u16::try_from(status).ok());
    let answer = Answer {
        status: status.and_then(|status| StatusCode::from_u16(status).ok()).expect("a status"),
        headers: headers.into_iter().collect(),
        body: problem.to_string().into(),
    };
    assert_eq!(problem["title"], answer.status.canonical_reason().unwrap_or_default());
    check(&Method::GET, path, &answer);
}

fn fault_of(method: &Method, path: &str, answer: &Answer) -> Result<(), String> {
    match DOCUMENT.find(method, path) {
        Described::Operation(operation) => {
            if answer.status == StatusCode::NOT_MODIFIED && operation.answers_with_a_tag() {
                return Ok(());
            }
            let content_type = answer.header("content-type").split(';').next().unwrap_or_default();
            let response = operation
                .response(answer.status)
                .ok_or_else(|| format!("{} has no status {}", operation.id, answer.status))?;
            response.check(content_type, (*method != Method::HEAD).then_some(&*answer.body))
        }
        Described::OtherMethods(methods) => {
            let allowed = answer.header("allow");
            let all = methods.iter().all(|method| allowed.split(", ").any(|allowed| allowed == *method));
            match answer.status {
                StatusCode::METHOD_NOT_ALLOWED if all => Ok(()),
                _ => Err(format!("it has only {methods:?}, which a 405 with `Allow` should say")),
            }
        }
        Described::Nothing => Ok(()),
    }
}
