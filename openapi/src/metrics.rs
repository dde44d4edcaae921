//! The resource `metrics`: numbers for Prometheus.

use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, OpenApi, Tags,
    payload::Payload,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchemaRef, Registry},
    types::Type as _,
};

use crate::{auth::ApiKey, port::Gateway, problem::Failure};

#[derive(Tags)]
enum Tag {
    /// Numbers for Prometheus.
    Metrics,
}

/// The operations on metrics.
pub(crate) struct MetricsApi<G>(pub(crate) G);

#[OpenApi]
impl<G: Gateway> MetricsApi<G> {
    /// Get metrics
    ///
    /// Gives every metric in the OpenMetrics text format, which Prometheus reads.
    #[oai(path = "/metrics", method = "get", operation_id = "getMetrics", tag = "Tag::Metrics")]
    async fn get(&self, _key: ApiKey<G>) -> Result<OpenMetricsText, Failure> {
        Ok(OpenMetricsText(self.0.metrics().await))
    }
}

/// Text with the media type by which Prometheus knows its format.
struct OpenMetricsText(String);

impl Payload for OpenMetricsText {
    const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn schema_ref() -> MetaSchemaRef {
        String::schema_ref()
    }
}

impl IntoResponse for OpenMetricsText {
    fn into_response(self) -> Response {
        Response::builder().header(header::CONTENT_TYPE, Self::CONTENT_TYPE).body(self.0)
    }
}

impl ApiResponse for OpenMetricsText {
    fn meta() -> MetaResponses {
        let content = vec![MetaMediaType { content_type: Self::CONTENT_TYPE, schema: Self::schema_ref() }];
        let response =
            MetaResponse { description: "", status: Some(200), status_range: None, content, headers: vec![] };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests;
