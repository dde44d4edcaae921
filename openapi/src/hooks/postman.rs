//! The three bodies that Postman is known to send, as the document shows them. Nothing here is used to read a body:
//! the gateway keeps what it gets, also when Postman changes it.

use std::collections::BTreeMap;

use poem_openapi::{
    Object,
    registry::{MetaSchema, MetaSchemaRef, Registry},
    types::Type as _,
};
use serde_json::Value;

/// The name of the union in the document.
const UNION: &str = "PostmanWebhook";

/// The result of a monitor run.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct MonitorRunResult {
    /// The collection's name.
    collection_name: Option<String>,
    /// The collection's id with the owner's number before it.
    collection_uid: Option<String>,
    /// The environment's name.
    environment_name: Option<String>,
    /// The environment's id with the owner's number before it.
    environment_uid: Option<String>,
    /// What was counted in the run.
    metrics: MonitorRunMetrics,
    /// The monitor's name.
    monitor_name: Option<String>,
    /// The monitor's id, with or without the owner's number before it.
    monitor_uid: Option<String>,
    /// The id of the monitor's owner.
    user_id: Option<String>,
    /// The name of the monitor's owner.
    user_name: Option<String>,
}

/// What was counted in a monitor run.
#[derive(Debug, Object)]
#[oai(rename_all = "camelCase", skip_serializing_if_is_none)]
struct MonitorRunMetrics {
    /// Errors outside of tests.
    errors: Option<i64>,
    /// Tests that failed.
    failed_tests: Option<i64>,
    /// Tests that passed.
    passed_tests: Option<i64>,
    /// Requests sent.
    request_count: Option<i64>,
    /// The sum of all latencies, in milliseconds.
    total_latency: Option<i64>,
    /// Warnings.
    warnings: Option<i64>,
}

/// A whole collection, sent when it changed.
#[derive(Debug, Object)]
struct CollectionBackup {
    /// The collection in Postman's Collection Format.
    collection: BTreeMap<String, Value>,
}

/// An entry of a team or collection activity feed.
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct ActivityFeedEntry {
    /// What was done.
    action: String,
    /// The collection's name.
    collection_name: Option<String>,
    /// The collection's id with the owner's number before it.
    collection_uid: Option<String>,
    /// A sentence about it.
    message: Option<String>,
    /// What was touched.
    model: Option<String>,
    /// The name of what was touched.
    model_name: Option<String>,
    /// The id of what was touched.
    model_uid: Option<String>,
    /// The id of who did it.
    user_id: Option<String>,
    /// The name of who did it.
    user_name: Option<String>,
}

/// Puts the union of the three into the document.
pub(super) fn register(registry: &mut Registry) {
    MonitorRunResult::register(registry);
    CollectionBackup::register(registry);
    ActivityFeedEntry::register(registry);
    registry.create_schema::<MonitorRunResult, _>(UNION.to_owned(), |_| MetaSchema {
        description: Some("A webhook of Postman's, told apart by its shape."),
        one_of: vec![
            MonitorRunResult::schema_ref(),
            CollectionBackup::schema_ref(),
            ActivityFeedEntry::schema_ref(),
        ],
        ..MetaSchema::ANY
    });
}

/// Refers to the union.
pub(super) fn schema_ref() -> MetaSchemaRef {
    MetaSchemaRef::Reference(UNION.to_owned())
}
