//! What stands in for the outside world in the demo: an ITOC360 events endpoint and an inbox for anything.
//!
//! It refuses what ITOC360 refuses and answers as ITOC360 answers, so that the demo shows the real conversation.

use poem::{
    Endpoint, Request, Response,
    http::{Method, StatusCode, header},
};
use serde_json::{Value, json};

pub(super) const EVENTS_PATH: &str = "/functions/v1/events";
pub(super) const INBOX_PATH: &str = "/inbox";

/// Answers by itself; keeps nothing.
#[derive(Debug)]
pub(super) struct StandIn {
    pub(super) token: String,
}

impl Endpoint for StandIn {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = request.take_body().into_bytes_limit(1 << 20).await?;
        let (status, answer) = match (request.method(), request.uri().path()) {
            (&Method::POST, EVENTS_PATH) => self.incident(&request, &body),
            (&Method::POST, INBOX_PATH) => (StatusCode::OK, json!({ "received": body.len() })),
            _ => (StatusCode::NOT_FOUND, json!({ "error": "Not found" })),
        };
        Ok(Response::builder().status(status).content_type("application/json").body(answer.to_string()))
    }
}

impl StandIn {
    fn incident(&self, request: &Request, body: &[u8]) -> (StatusCode, Value) {
        let authorization =
            request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        if authorization.and_then(|value| value.strip_prefix("Bearer ")) != Some(&*self.token) {
            return (StatusCode::UNAUTHORIZED, json!({ "error": "Unauthorized" }));
        }
        match judge(body) {
            Some((kind, fingerprint)) => (
                StatusCode::OK,
                json!({ "id": uuid::Uuid::now_v7().to_string(), "type": kind, "fingerprint": fingerprint }),
            ),
            None => (StatusCode::BAD_REQUEST, json!({ "error": "Invalid payload" })),
        }
    }
}

/// ITOC360's rule for Postman's monitors: a failed test or an error opens, none of both resolves.
fn judge(body: &[u8]) -> Option<(&'static str, String)> {
    let run: Value = serde_json::from_slice(body).ok()?;
    let count = |name: &str| run["metrics"][name].as_u64();
    let (failed, errors) = (count("failedTests")?, count("errors")?);
    let fingerprint = run["monitor_uid"].as_str()?.to_owned();
    Some((if failed > 0 || errors > 0 { "ALERT" } else { "RESOLVE" }, fingerprint))
}
