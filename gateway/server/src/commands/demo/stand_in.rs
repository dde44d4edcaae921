//! What stands in for the outside world in the demo: an ITOC360 and an inbox for anything.
//!
//! It refuses what ITOC360 refuses and answers as ITOC360 answers, so that the demo shows the real conversation.

use std::sync::{Arc, Mutex, PoisonError};

use poem::{
    Endpoint, Request, Response,
    http::{Method, StatusCode, header},
};
use postroom_engine::Clock;
use postroom_itoc360_double::{self as double, Itoc360, Provider};

/// Where its people look.
pub(super) const PAGE_PATH: &str = "/";
pub(super) const INBOX_PATH: &str = "/inbox";

/// Longest body that is read.
const BODY_BYTES_MAX: usize = 1 << 20;

/// An ITOC360 with its incidents, and an inbox that keeps nothing.
#[derive(Debug, Clone)]
pub(super) struct StandIn {
    itoc360: Arc<Mutex<Itoc360>>,
    clock: Clock,
}

impl StandIn {
    /// One whose source has this token.
    pub(super) fn new(token: &str) -> Self {
        let itoc360 = Itoc360::new(token, Provider::PostmanMonitors);
        Self { itoc360: Arc::new(Mutex::new(itoc360)), clock: Clock::system() }
    }
}

impl Endpoint for StandIn {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let body = request.take_body().into_bytes_limit(BODY_BYTES_MAX).await?;
        if (request.method(), request.uri().path()) == (&Method::POST, INBOX_PATH) {
            let answer = serde_json::json!({ "received": body.len() }).to_string();
            return Ok(Response::builder().content_type("application/json").body(answer));
        }
        let header =
            |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let asked = double::Request {
            method: request.method().as_str(),
            target,
            authorization: header(header::AUTHORIZATION),
            content_type: header(header::CONTENT_TYPE),
            body: &body,
            now_unix_ms: self.clock.now().as_unix_ms().unsigned_abs(),
        };
        let reply = self.itoc360.lock().unwrap_or_else(PoisonError::into_inner).answer(&asked);
        let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Ok(Response::builder().status(status).content_type(reply.content_type).body(reply.body))
    }
}
