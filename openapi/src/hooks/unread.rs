//! A hook whose body is still on the wire.

use std::net::IpAddr;

use poem::{Body, Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSecurityScheme, Registry},
};

use super::postman;
use crate::{
    auth::{self, Credential},
    body::Framing,
};

/// Everything of a hook that is there before its body: enough to decide whether to read on.
pub(super) struct UnreadHook {
    pub(super) token: Option<Credential>,
    pub(super) peer: Option<IpAddr>,
    pub(super) query: Vec<(String, String)>,
    pub(super) content_type: Option<String>,
    pub(super) framing: Framing,
    pub(super) body: Body,
}

/// The ways to present a source's token, as the document names them.
const TOKEN_SCHEMES: [(&str, MetaSecurityScheme); 3] = [
    (
        "sourceTokenQuery",
        MetaSecurityScheme {
            ty: "apiKey",
            description: Some("The source's token in the URL: the only place where Postman lets one put it."),
            name: Some("token"),
            key_in: Some("query"),
            ..NO_SCHEME
        },
    ),
    (
        "sourceTokenBearer",
        MetaSecurityScheme { description: Some("The source's token."), scheme: Some("bearer"), ..NO_SCHEME },
    ),
    (
        "sourceTokenBasic",
        MetaSecurityScheme {
            description: Some("The source's token as password; the user name is free."),
            scheme: Some("basic"),
            ..NO_SCHEME
        },
    ),
];

const NO_SCHEME: MetaSecurityScheme = MetaSecurityScheme {
    ty: "http",
    description: None,
    name: None,
    key_in: None,
    scheme: None,
    bearer_format: None,
    flows: None,
    openid_connect_url: None,
};

impl<'a> ApiExtractor<'a> for UnreadHook {
    const TYPES: &'static [ApiExtractorType] =
        &[ApiExtractorType::RequestObject, ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        postman::register(registry);
        for (name, scheme) in TOKEN_SCHEMES {
            registry.create_security_scheme(name, scheme);
        }
    }

    fn security_schemes() -> Vec<&'static str> {
        TOKEN_SCHEMES.iter().map(|(name, _)| *name).collect()
    }

    fn request_meta() -> Option<MetaRequest> {
        Some(MetaRequest {
            description: Some(
                "A webhook of Postman's. Any other body is taken too, with any Content-Type or none.",
            ),
            content: vec![MetaMediaType { content_type: "application/json", schema: postman::schema_ref() }],
            required: true,
        })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let headers = request.headers();
        let query: Vec<(String, String)> = request.params().unwrap_or_default();
        let text = |name| headers.get(name).and_then(|value| Some(value.to_str().ok()?.to_owned()));
        Ok(Self {
            token: query
                .iter()
                .find_map(|(name, value)| {
                    (name == "token" && !value.is_empty()).then(|| Credential::new(value))
                })
                .or_else(|| auth::bearer(headers))
                .or_else(|| auth::basic_password(headers)),
            peer: auth::peer(request.remote_addr()),
            content_type: text(header::CONTENT_TYPE.as_str()),
            framing: Framing::of(headers),
            body: body.take()?,
            query,
        })
    }
}
