//! A request body that is any JSON object.

use std::{collections::BTreeMap, time::Duration};

use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type as _,
};
use serde_json::{Map, Value};

use super::{MEDIA_TYPE, is_json, read};
use crate::problem::{Code, Failure};

const BYTES_MAX: usize = 1024 * 1024;
const READ_MAX: Duration = Duration::from_secs(30);

/// The body of an operation that takes what somebody else describes; no body at all is an empty object.
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

impl<'a> ApiExtractor<'a> for JsonObject {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        BTreeMap::<String, Value>::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let schema = BTreeMap::<String, Value>::schema_ref();
        Some(MetaRequest {
            description: Some("What it takes; nothing is an empty object."),
            content: vec![MetaMediaType { content_type: MEDIA_TYPE, schema }],
            required: false,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let bytes = read(body.take()?, BYTES_MAX, READ_MAX).await?;
        if bytes.is_empty() {
            return Ok(Self(Map::new()));
        }
        if !is_json(request) {
            let detail = "this operation takes JSON: send it with `Content-Type: application/json`";
            return Err(Failure::new(Code::UnsupportedMediaType, detail).into());
        }
        let object = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::new(Code::InvalidBody, format!("the body is not a JSON object: {error}"))
        })?;
        Ok(Self(object))
    }
}
