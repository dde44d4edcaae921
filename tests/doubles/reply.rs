use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::Gate;

/// What a double answers.
#[derive(Debug, Clone)]
pub struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Bytes,
    pub(super) gate: Option<Gate>,
}

impl Reply {
    /// An answer with an empty body.
    ///
    /// # Panics
    /// When there is no such status.
    #[must_use]
    pub fn status(status: u16) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status");
        Self { status, headers: Vec::new(), body: Bytes::new(), gate: None }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        let mut reply = Self::status(status).header("content-type", "application/json");
        reply.body = body.to_string().into();
        reply
    }

    /// An answer with a body of this type.
    #[must_use]
    pub fn text(status: u16, content_type: &'static str, body: String) -> Self {
        let mut reply = Self::status(status).header("content-type", content_type);
        reply.body = body.into();
        reply
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((HeaderName::from_static(name), HeaderValue::from_static(value)));
        self
    }

    /// Answers only when `gate` is open.
    #[must_use]
    pub fn behind(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }
}

impl From<u16> for Reply {
    fn from(status: u16) -> Self {
        Self::status(status)
    }
}
