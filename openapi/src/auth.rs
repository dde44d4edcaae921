//! Who is asking: API keys for the API, tokens for the hooks.

use std::{fmt, marker::PhantomData};

use poem::{
    Request, RequestBody,
    http::{HeaderMap, HeaderValue, header},
    web::headers::{
        Authorization, HeaderMapExt as _,
        authorization::{Basic, Bearer},
    },
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};

use crate::{
    port::Gateway,
    problem::{Code, Failure},
};

/// A secret as a caller presented it: an API key or a source's token. Does not print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// Wraps what was presented.
    #[must_use]
    pub fn new(presented: impl Into<String>) -> Self {
        Self(presented.into())
    }

    /// The secret itself, to compare in constant time. Never log, store or echo what this gives.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(***)")
    }
}

/// The owner of an API key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The key's name in the configuration.
    pub name: String,
    /// What the key allows.
    pub role: Role,
}

/// What an API key allows; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads everything.
    Viewer,
    /// Also acts on deliveries and destinations.
    Operator,
    /// Also changes the configuration.
    Admin,
}

/// The name of the API's security scheme in the document.
const SCHEME: &str = "apiKey";

/// Lets a request pass that carries a valid API key. As the first argument of a handler it guards the handler:
/// nothing else of the request is looked at before.
pub(crate) struct ApiKey<G>(PhantomData<G>);

impl<'a, G: Gateway> ApiExtractor<'a> for ApiKey<G> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        registry.create_security_scheme(
            SCHEME,
            MetaSecurityScheme {
                ty: "http",
                description: Some("An API key of the gateway's configuration."),
                name: None,
                key_in: None,
                scheme: Some("bearer"),
                bearer_format: None,
                flows: None,
                openid_connect_url: None,
            },
        );
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let gateway = request.data::<G>().ok_or_else(Failure::internal)?;
        let caller = match bearer(request.headers()) {
            Some(key) => gateway.authenticate(&key).await,
            None => None,
        };
        // Every role may read, and so far every operation reads.
        match caller {
            Some(_) => Ok(Self(PhantomData)),
            None => Err(Failure::new(
                Code::Unauthorized,
                "this operation needs a valid API key: send it as `Authorization: Bearer <key>`",
            )
            .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postroom\""))
            .into()),
        }
    }
}

/// The credential of `Authorization: Bearer`.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<Credential> {
    let authorization = headers.typed_get::<Authorization<Bearer>>()?;
    Some(Credential::new(authorization.token()))
}

/// The password of `Authorization: Basic`. The user name is free: forms that ask for one get any.
pub(crate) fn basic_password(headers: &HeaderMap) -> Option<Credential> {
    let authorization = headers.typed_get::<Authorization<Basic>>()?;
    Some(Credential::new(authorization.password()))
}

#[cfg(test)]
mod tests;
