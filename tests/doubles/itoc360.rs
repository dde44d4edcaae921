//! ITOC360's Events API as a server of the tests.

use std::sync::{Arc, Mutex, PoisonError};

use postroom_itoc360_double as double;
pub use postroom_itoc360_double::{Incident, Provider};

use super::{Reply, Request, Rules};

/// When the first request comes, in milliseconds since 1970. Every request takes a second of the double's own time.
const BEGIN_UNIX_MS: u64 = 1_768_465_800_000;

/// An ITOC360 tenant. A clone is the same.
#[derive(Debug, Clone)]
pub struct Itoc360(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    itoc360: double::Itoc360,
    now_unix_ms: u64,
}

impl Itoc360 {
    /// One with a source that has this token.
    #[must_use]
    pub fn new(token: &str, provider: Provider) -> Self {
        Self::of(double::Itoc360::new(token, provider))
    }

    /// One with any sources.
    #[must_use]
    pub fn of(itoc360: double::Itoc360) -> Self {
        Self(Arc::new(Mutex::new(State { itoc360, now_unix_ms: BEGIN_UNIX_MS })))
    }

    /// Whether the tenant has paid.
    pub fn set_subscription(&self, is_active: bool) {
        self.with(|state| state.itoc360.set_subscription(is_active));
    }

    /// Every incident so far, in the order in which they were opened.
    #[must_use]
    pub fn incidents(&self) -> Vec<Incident> {
        self.with(|state| state.itoc360.incidents().to_vec())
    }

    /// Whether an incident with this fingerprint is open.
    #[must_use]
    pub fn is_open(&self, fingerprint: &str) -> bool {
        self.with(|state| state.itoc360.open(fingerprint).is_some())
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Rules for Itoc360 {
    fn answer(&self, request: &Request) -> Reply {
        self.with(|state| {
            state.now_unix_ms += 1000;
            let reply = state.itoc360.answer(&double::Request {
                method: request.method.as_str(),
                target: &request.target,
                authorization: request.header("authorization"),
                content_type: request.header("content-type"),
                body: &request.body,
                now_unix_ms: state.now_unix_ms,
            });
            Reply::text(reply.status, reply.content_type, reply.body)
        })
    }
}
