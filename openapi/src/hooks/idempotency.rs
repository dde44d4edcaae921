//! The idempotency key of a hook: what tells that an event was sent twice.
//!
//! Postman sends none and does not send again; a relay in between may do both. A key that does not fit costs the key and
//! never the event: the event is taken without it, and a note says so.

use poem::{Request, RequestBody, http::HeaderValue};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaParamIn, MetaSchemaRef},
    types::Type as _,
};

/// A header that may hold the key, as sent: one that is no text must not cost the event either.
pub(super) struct KeyHeader(Option<HeaderValue>);

impl<'a> ApiExtractor<'a> for KeyHeader {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::Parameter];
    type ParamType = String;
    type ParamRawType = String;

    fn param_in() -> Option<MetaParamIn> {
        Some(MetaParamIn::Header)
    }

    fn param_schema_ref() -> Option<MetaSchemaRef> {
        Some(String::schema_ref())
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        options: ExtractParamOptions<String>,
    ) -> poem::Result<Self> {
        Ok(Self(request.headers().get(options.name).cloned()))
    }
}

/// `Idempotency-Key` is the key if it is there, otherwise `webhook-id`. The note says what is left out, and why.
pub(super) fn key(
    idempotency_key: KeyHeader,
    webhook_id: KeyHeader,
    bytes_max: usize,
) -> (Option<String>, Option<String>) {
    let ignored = match (&idempotency_key.0, &webhook_id.0) {
        (Some(key), Some(id)) if key != id => Some("webhook-id left out: Idempotency-Key is there and wins"),
        _ => None,
    };
    let ignored = ignored.map(str::to_owned);
    let Some(value) = idempotency_key.0.or(webhook_id.0) else { return (None, None) };
    let fault = match value.as_bytes() {
        [] => "it is empty".to_owned(),
        key if key.len() > bytes_max => format!("it is longer than {bytes_max} bytes"),
        key => match std::str::from_utf8(key) {
            Ok(key) if key.bytes().all(|byte| byte.is_ascii_graphic()) => {
                return (Some(key.to_owned()), ignored);
            }
            _ => "it has other characters than visible ASCII".to_owned(),
        },
    };
    (None, super::joined([Some(format!("idempotency key left out: {fault}")), ignored]))
}
