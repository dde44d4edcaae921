//! A request body of JSON: small, whole, and nothing in it that the operation does not know.

use std::time::Duration;

use poem::{Body, Request, RequestBody, error::ReadBodyError, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::ParseFromJSON,
};
use serde_json::Value;

mod object;

pub(crate) use object::JsonObject;

use crate::{
    expect,
    problem::{Code, Failure},
};

const MEDIA_TYPE: &str = "application/json";
/// Every request is far below, unless its operation says otherwise.
const BYTES_MAX: usize = 64 * 1024;
const READ_MAX: Duration = Duration::from_secs(10);

/// The body of an operation. poem-openapi's own reads a body of any length, at any pace.
pub(crate) struct JsonBody<T, const MAX: usize = BYTES_MAX>(pub(crate) T);

impl<'a, T: ParseFromJSON, const MAX: usize> ApiExtractor<'a> for JsonBody<T, MAX> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: Some("Fields that are not described are refused."),
            content: vec![MetaMediaType { content_type: MEDIA_TYPE, schema: T::schema_ref() }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        if !is_json(request) {
            let detail = "this operation takes JSON: send it with `Content-Type: application/json`";
            return Err(Failure::new(Code::UnsupportedMediaType, detail).into());
        }
        Ok(Self(parse(&read(body.take()?, MAX, READ_MAX).await?)?))
    }
}

fn is_json(request: &Request) -> bool {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(MEDIA_TYPE)
}

async fn read(body: Body, bytes_max: usize, read_max: Duration) -> Result<Vec<u8>, Failure> {
    let reading = tokio::time::timeout(read_max, body.into_bytes_limit(bytes_max));
    match reading.await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(ReadBodyError::PayloadTooLarge)) => Err(Failure::new(
            Code::BodyTooLarge,
            format!("the body is larger than the {bytes_max} bytes that this operation takes"),
        )),
        Ok(Err(_)) => Err(Failure::new(Code::InvalidBody, "the body broke off before its end")),
        Err(_) => Err(Failure::new(
            Code::BodyTimeout,
            format!("the body did not arrive within {} seconds", read_max.as_secs()),
        )),
    }
}

fn parse<T: ParseFromJSON>(bytes: &[u8]) -> Result<T, Failure> {
    let invalid = |detail: String| Failure::new(Code::InvalidBody, detail);
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| invalid(format!("the body is not JSON: {error}")))?;
    // First by the schema, because the library names types of Rust and not the field.
    let mut schemas = Registry::new();
    T::register(&mut schemas);
    if let Some(fault) = expect::fault(&value, &T::schema_ref(), &schemas, "") {
        return Err(invalid(fault));
    }
    T::parse_from_json(Some(value)).map_err(|error| {
        tracing::debug!(error = error.message(), "a body fits its schema and cannot be read");
        invalid("the body is not what this operation takes; /docs describes it".to_owned())
    })
}

#[cfg(test)]
mod tests;
