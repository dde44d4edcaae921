//! The resource `sources`: where webhooks come in.

use std::collections::BTreeMap;

use poem_openapi::{Object, OpenApi, Tags, param::Path, payload::Json, types::Example};

use crate::{auth::ApiKey, port::Gateway, problem::Failure, time::Timestamp};

/// Where webhooks come in.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none, example)]
pub struct Source {
    /// Its name in the configuration.
    pub name: String,
    /// The path that webhooks are sent to.
    pub path: String,
    /// The URL to paste into Postman, with `?token=` and one of its tokens behind it. Tokens are never shown.
    pub url: String,
    /// How many tokens let a caller in: one, or two while one is being replaced.
    pub tokens: u32,
    /// Largest body that it takes, in bytes.
    pub body_bytes_max: u64,
    /// Most requests a second. Absent when there is no limit.
    pub requests_per_second: Option<u32>,
    /// Labels of every event that comes in here.
    pub labels: BTreeMap<String, String>,
    /// Events that came in here since the gateway started.
    pub accepted: u64,
    /// Requests that sent an accepted event again under its idempotency key, since the gateway started.
    pub repeated: u64,
    /// The newest of its events that is kept. Absent when there is none among the last millions, and in lists.
    pub last_event: Option<SourceEvent>,
}

/// The newest event of a source.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct SourceEvent {
    /// The event's id.
    pub id: String,
    /// When it came in.
    pub received_at: Timestamp,
}

impl Example for Source {
    fn example() -> Self {
        Self {
            name: "acme".to_owned(),
            path: "/hooks/acme".to_owned(),
            url: "https://hooks.example.com/hooks/acme".to_owned(),
            tokens: 1,
            body_bytes_max: 64 * 1024 * 1024,
            requests_per_second: Some(50),
            labels: BTreeMap::from([("team".to_owned(), "payments".to_owned())]),
            accepted: 1284,
            repeated: 0,
            last_event: Some(SourceEvent {
                id: "0192f0c1-2b7e-7c3a-9d52-7f2f7a5d1c01".to_owned(),
                received_at: Timestamp::from_unix_ms(1_790_000_000_125),
            }),
        }
    }
}

/// All sources, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct SourceList {
    /// The sources.
    pub items: Vec<Source>,
}

#[derive(Tags)]
enum Tag {
    /// Where webhooks come in.
    Sources,
}

/// The operations on sources.
pub(crate) struct SourcesApi<G>(pub(crate) G);

#[OpenApi(prefix_path = "/api/v1/sources")]
impl<G: Gateway> SourcesApi<G> {
    /// List sources
    ///
    /// Gives every configured source: where to send to, what it takes, and what came in.
    #[oai(path = "/", method = "get", operation_id = "listSources", tag = "Tag::Sources")]
    async fn list(&self, _key: ApiKey<G>) -> Result<Json<SourceList>, Failure> {
        Ok(Json(SourceList { items: self.0.sources().await? }))
    }

    /// Get a source
    ///
    /// Gives one source: where to send to, what it takes, and what came in.
    #[oai(path = "/:name", method = "get", operation_id = "getSource", tag = "Tag::Sources")]
    async fn get(
        &self,
        _key: ApiKey<G>,
        /// The source's name.
        name: Path<String>,
    ) -> Result<Json<Source>, Failure> {
        self.0.source(&name).await?.map(Json).ok_or_else(|| Failure::not_found("source"))
    }
}

#[cfg(test)]
mod tests;
