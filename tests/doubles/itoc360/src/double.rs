//! Who may send, where, and what is kept of it.

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::{
    incident::{Incident, Incidents},
    page,
    rules::{self, Kind, Refusal},
};

/// Where events are posted.
const EVENTS: &str = "/functions/v1/events";
/// Where people look.
const PAGE: &str = "/";

/// An ITOC360 with one tenant.
#[derive(Debug, Clone)]
pub struct Itoc360 {
    sources: Vec<(String, Provider)>,
    incidents: Incidents,
    subscription_is_active: bool,
    events: u64,
}

/// What the bodies of a source must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// Postman's body as it is.
    PostmanMonitors,
    /// Prometheus and its relatives: the Alertmanager v4 body.
    Alertmanager,
}

/// A request, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// The value of the header; empty without one.
    pub authorization: &'a str,
    /// The value of the header; empty without one.
    pub content_type: &'a str,
    pub body: &'a [u8],
    /// The time, in milliseconds since 1970.
    pub now_unix_ms: u64,
}

/// The reply to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub content_type: &'static str,
    pub body: String,
}

impl Itoc360 {
    /// One with a source that has this token.
    #[must_use]
    pub fn new(token: &str, provider: Provider) -> Self {
        Self { sources: Vec::new(), incidents: Incidents::default(), subscription_is_active: true, events: 0 }
            .with_source(token, provider)
    }

    /// Adds a source.
    #[must_use]
    pub fn with_source(mut self, token: &str, provider: Provider) -> Self {
        self.sources.push((token.to_owned(), provider));
        self
    }

    /// Whether the tenant has paid. One that has not is refused everything.
    pub fn set_subscription(&mut self, is_active: bool) {
        self.subscription_is_active = is_active;
    }

    /// Every incident so far, in the order in which they were opened.
    #[must_use]
    pub fn incidents(&self) -> &[Incident] {
        self.incidents.all()
    }

    /// The open incident with this fingerprint, of any source.
    #[must_use]
    pub fn open(&self, fingerprint: &str) -> Option<&Incident> {
        self.incidents().iter().find(|incident| incident.is_open() && incident.fingerprint == fingerprint)
    }

    /// Answers a request, and keeps what it says.
    pub fn answer(&mut self, request: &Request<'_>) -> Reply {
        let (path, query) = request.target.split_once('?').unwrap_or((request.target, ""));
        match (request.method, path) {
            ("GET", PAGE) => page::of(self.incidents()),
            ("POST", EVENTS) => self.take(request, query).unwrap_or_else(refused),
            (_, EVENTS) => refused(Refusal { status: 405, error: "Method not allowed" }),
            _ => refused(Refusal { status: 404, error: "Not found" }),
        }
    }

    fn take(&mut self, request: &Request<'_>, query: &str) -> Result<Reply, Refusal> {
        let (source, provider) = self.source(request.authorization, query)?;
        if !self.subscription_is_active {
            return Err(Refusal { status: 402, error: "Subscription inactive" });
        }
        let body = match serde_json::from_slice(request.body) {
            Ok(body @ Value::Object(_)) if request.content_type == "application/json" => body,
            _ => return Err(Refusal::INVALID),
        };
        let event = match provider {
            Provider::PostmanMonitors => rules::postman_monitors(&body)?,
            Provider::Alertmanager => rules::alertmanager(&body)?,
        };
        self.events += 1;
        self.incidents.apply(source, &event, request.now_unix_ms);
        let time = i64::try_from(request.now_unix_ms).ok().and_then(DateTime::from_timestamp_millis);
        let mut reply = json!({
            "id": format!("6f1c52f4-8a0e-4d6d-9d0c-{:012x}", self.events),
            "tenant_id": "0b1f4a56-31a4-4c64-9f50-8f3c1d2e7a90",
            "provider_id": provider.number(),
            "source_id": format!("c7a1de02-55b1-4b6c-a0f4-{source:012x}"),
            "fingerprint": event.fingerprint,
            "payload": body,
            "created_at": time.unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        if let Some(kind) = event.kind {
            reply["type"] = kind.as_str().into();
        }
        Ok(Reply { status: 200, content_type: "application/json", body: reply.to_string() })
    }

    /// The source whose token the request has, in its header or, for senders that can only be given an address, in that.
    fn source(&self, authorization: &str, query: &str) -> Result<(usize, Provider), Refusal> {
        let in_query = || query.split('&').find_map(|pair| pair.strip_prefix("token="));
        let token = authorization.strip_prefix("Bearer ").or_else(in_query);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Err(Refusal { status: 401, error: "Unauthorized" });
        };
        let found = self.sources.iter().position(|(known, _)| known == token);
        let found = found.ok_or(Refusal { status: 404, error: "Source not found" })?;
        Ok((found, self.sources[found].1))
    }
}

impl Provider {
    const fn number(self) -> u32 {
        match self {
            Self::PostmanMonitors => 17,
            Self::Alertmanager => 3,
        }
    }
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "ALERT",
            Self::Resolve => "RESOLVE",
        }
    }
}

fn refused(refusal: Refusal) -> Reply {
    let body = json!({ "error": refusal.error }).to_string();
    Reply { status: refusal.status, content_type: "application/json", body }
}

#[cfg(test)]
mod tests;
