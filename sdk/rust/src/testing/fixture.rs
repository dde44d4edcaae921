//! Events to deliver in a test.

use serde_json::{Value, json};

use crate::{
    event::{Verdict, kind},
    postman::Payload,
};

/// An event to deliver. The ones made from Postman's kinds have a body as Postman sends it.
///
/// ```
/// use postroom_sdk::{Verdict, testing::EventFixture};
/// use serde_json::json;
///
/// let failed = EventFixture::monitor_run(2).attempt(3).label("team", "payments");
/// let unknown = EventFixture::monitor_run(0).verdict(Verdict::Unknown);
/// let other = EventFixture::raw("deployment", "").json(&json!({ "of": "payments" }));
/// # drop((failed, unknown, other));
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct EventFixture {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) subject: String,
    pub(super) verdict: Option<Verdict>,
    pub(super) source: String,
    pub(super) content_type: String,
    pub(super) ordering_key: String,
    pub(super) trace_parent: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) attempt: u32,
    pub(super) body: Vec<u8>,
}

const MONITOR_ID: &str = "1e8eea47-e976-4b60-a122-11a5ba65085a";
const COLLECTION_UID: &str = "127862-711a2044-c4fc-441b-b169-233c07489031";
const COLLECTION_ID: &str = "711a2044-c4fc-441b-b169-233c07489031";

impl EventFixture {
    /// A run of a monitor in which `failed` tests failed.
    pub fn monitor_run(failed: u32) -> Self {
        let body = json!({
            "collection_name": "End To End Tests ",
            "collection_uid": COLLECTION_UID,
            "user_name": "Alex Doe",
            "user_id": "127862",
            "monitor_name": "End-to-End test Master",
            "monitor_uid": MONITOR_ID,
            "environment_name": "Engineering",
            "environment_uid": "127862-51eb6452-10d2-45d3-82ae-fc4c67b59b7c",
            "metrics": {
                "errors": 0,
                "failedTests": failed,
                "passedTests": 248,
                "requestCount": 117,
                "totalLatency": 28348,
                "warnings": 0,
            },
        });
        Self {
            subject: MONITOR_ID.to_owned(),
            verdict: Some(if failed == 0 { Verdict::Passed } else { Verdict::Failed }),
            ordering_key: format!("monitor:{MONITOR_ID}"),
            ..Self::raw(kind::MONITOR_RUN, body.to_string())
        }
    }

    /// A backup of `collection`, the JSON of a collection, which stands in the body byte for byte.
    pub fn collection_backup(collection: impl AsRef<[u8]>) -> Self {
        let body = [b"{\"collection\":".as_slice(), collection.as_ref(), b"}"].concat();
        let fixture = Self::raw(kind::COLLECTION_BACKUP, body);
        let id = match Payload::read(kind::COLLECTION_BACKUP, &fixture.body) {
            Payload::CollectionBackup(backup) => backup.id().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        Self { ordering_key: format!("collection:{id}"), subject: id, ..fixture }
    }

    /// Somebody updated a request.
    pub fn activity() -> Self {
        let body = json!({
            "action": "update",
            "model": "request",
            "user_id": "127862",
            "user_name": "Alex Doe",
            "model_uid": "127862-0f2d6d34-5a3c-4b7c-9a7e-0c8f0a4f5e11",
            "model_name": "Create payment",
            "collection_uid": COLLECTION_UID,
            "collection_name": "Payments",
            "message": "Alex Doe updated a request Create payment in the Payments collection",
        });
        Self {
            subject: COLLECTION_ID.to_owned(),
            ordering_key: format!("activity:{COLLECTION_ID}"),
            ..Self::raw(kind::ACTIVITY, body.to_string())
        }
    }

    /// An event of any kind with any body, and nothing else known about it.
    pub fn raw(kind: impl Into<String>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            id: "01940000-0000-7000-8000-000000000001".to_owned(),
            kind: kind.into(),
            subject: String::new(),
            verdict: None,
            source: "test".to_owned(),
            content_type: "application/json".to_owned(),
            ordering_key: String::new(),
            trace_parent: String::new(),
            labels: Vec::new(),
            attempt: 1,
            body: body.into(),
        }
    }

    /// Sets the event's id.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Sets which attempt it is, from 1.
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the name of the source.
    pub fn source(mut self, source: impl Into<String>) -> Self {
        self.source = source.into();
        self
    }

    /// Sets the content type; an empty one stands for none.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = content_type.into();
        self
    }

    /// Sets the verdict.
    pub fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = Some(verdict);
        self
    }

    /// Sets the subject.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    /// Sets the key whose events come in order; an empty one stands for none.
    pub fn ordering_key(mut self, ordering_key: impl Into<String>) -> Self {
        self.ordering_key = ordering_key.into();
        self
    }

    /// Sets the W3C `traceparent`.
    pub fn trace_parent(mut self, trace_parent: impl Into<String>) -> Self {
        self.trace_parent = trace_parent.into();
        self
    }

    /// Adds a label.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    /// Sets the body to a JSON value.
    pub fn json(self, body: &Value) -> Self {
        self.body(body.to_string())
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}
