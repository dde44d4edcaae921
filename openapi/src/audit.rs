//! The resource `audit`: what was changed, by whom.

use std::collections::BTreeMap;

use poem_openapi::{Enum, Object, OpenApi, Tags, param::Query, payload::Json, types::Example};
use serde_json::{Map, Value, json};

use crate::{
    auth::AdminKey,
    page::{self, List},
    port::Gateway,
    problem::{Code, Failure},
    time::Timestamp,
};

mod note;
mod trail;

pub(crate) use self::trail::{Known, Trail, may_change};
pub use note::Note;

const LIST: List = List("audit");

/// By which way somebody came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AuditVia {
    /// An API key.
    ApiKey,
    /// A session of the console, begun with an API key.
    Session,
    /// A signal to the gateway's process.
    Signal,
    /// A file that has changed and that the gateway watches.
    FileWatch,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Enum)]
#[oai(rename_all = "snake_case")]
pub enum AuditOutcome {
    /// It was made.
    Done,
    /// It was refused: the role does not allow it, or what it is about does not stand so.
    Refused,
    /// It was tried and could not be made.
    Failed,
    /// Whoever wanted it did not wait for the answer: it may have been made.
    Unknown,
}

/// A change that somebody made, or wanted to make.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct AuditEntry {
    /// The entry's id.
    pub id: String,
    /// When it ended.
    pub at: Timestamp,
    /// Who wanted it: the name of the API key, of the signal, or `file watch`.
    pub who: String,
    /// By which way.
    pub via: AuditVia,
    /// What was wanted: the `operationId` of the operation. A signal has that of the operation that does the same.
    pub operation: String,
    /// Of what, such as `destinations/itoc360`. Absent where it is of no one thing.
    pub object: Option<String>,
    /// How it stood before, in small. Absent when nothing is said of it.
    pub before: Option<BTreeMap<String, Value>>,
    /// How it stands since, in small. Absent when nothing is said of it.
    pub after: Option<BTreeMap<String, Value>>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// The code of the problem that was answered. Absent when there was none.
    pub code: Option<Code>,
    /// The `X-Request-Id` of the answer. Absent when there was no request.
    pub request_id: Option<String>,
}

impl Example for AuditEntry {
    fn example() -> Self {
        let object = |value: Value| value.as_object().cloned().map(|object| object.into_iter().collect());
        Self {
            id: "17".to_owned(),
            at: Timestamp::from_unix_ms(1_790_000_000_000),
            who: "me".to_owned(),
            via: AuditVia::ApiKey,
            operation: "pauseDestination".to_owned(),
            object: Some("destinations/itoc360".to_owned()),
            before: object(json!({ "gate": "open" })),
            after: object(json!({ "gate": "held" })),
            outcome: AuditOutcome::Done,
            code: None,
            request_id: Some("4f1c2b7e90d3a855-1f".to_owned()),
        }
    }
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct AuditPage {
    /// The entries.
    pub items: Vec<AuditEntry>,
    /// Pass it as `cursor` to get the next page. Absent on the last page.
    pub next_cursor: Option<String>,
}

/// Which entries to list. Every part that is set must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Only by this key, signal or watch.
    pub who: Option<String>,
    /// Only this operation.
    pub operation: Option<String>,
    /// Only at this moment or later.
    pub since: Option<Timestamp>,
    /// Only before this moment.
    pub until: Option<Timestamp>,
}

/// A change as it is handed to the gateway to keep.
#[derive(Debug, Clone, PartialEq)]
pub struct NewAuditEntry {
    /// Who wanted it.
    pub who: String,
    /// By which way.
    pub via: AuditVia,
    /// The id of the operation.
    pub operation: String,
    /// Of what.
    pub object: Option<String>,
    /// How it stood before.
    pub before: Option<Map<String, Value>>,
    /// How it stands since.
    pub after: Option<Map<String, Value>>,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// The code of the problem.
    pub code: Option<Code>,
    /// The id of the request.
    pub request_id: Option<String>,
}

#[derive(Tags)]
enum Tag {
    /// Who may use the API, and what they did.
    Access,
}

/// The operation on the audit log.
pub(crate) struct AuditApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/audit")]
impl<G: Gateway> AuditApi<G> {
    /// List changes
    ///
    /// Needs the role admin. Gives every change that was made or wanted by the API, a signal or a watched file, newest
    /// first: who, when, what, how it stood before and since, and what became of it. Secrets are not in it. What a role or a
    /// key does not allow is listed too; requests without a valid key are nobody's, and the metrics count them. Entries are
    /// kept for `[retention] audit`.
    #[oai(path = "/", method = "get", operation_id = "listAuditEntries", tag = "Tag::Access")]
    #[expect(clippy::too_many_arguments, reason = "each is a query parameter of its own in the document")]
    async fn list(
        &self,
        _key: AdminKey<G>,
        /// Only changes by this key, or by `SIGHUP` or `file watch`.
        who: Query<Option<String>>,
        /// Only this operation, by its `operationId`.
        operation: Query<Option<String>>,
        /// Only changes at this moment or later.
        since: Query<Option<Timestamp>>,
        /// Only changes before this moment.
        until: Query<Option<Timestamp>>,
        /// Most entries on the page.
        #[oai(default = "page::limit_default", validator(minimum(value = "1"), maximum(value = "500")))]
        limit: Query<u32>,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> Result<Json<AuditPage>, Failure> {
        let filter = AuditFilter { who: who.0, operation: operation.0, since: since.0, until: until.0 };
        let page = self.0.audit_log(filter, LIST.request(limit.0, cursor.0)?).await?;
        let next_cursor = page.next.map(|key| LIST.cursor(&key));
        Ok(Json(AuditPage { items: page.items, next_cursor }))
    }
}

#[cfg(test)]
mod tests;
