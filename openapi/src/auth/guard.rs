//! What stands before a handler: without a key that allows enough, nothing else of the request is looked at.

use std::marker::PhantomData;

use poem::{
    Request, RequestBody,
    http::{HeaderValue, header},
};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};

use super::{Caller, Role, bearer};
use crate::{
    parameters::Parameters,
    port::Gateway,
    problem::{Code, Failure},
};

/// The name of the API's security scheme in the document.
pub(crate) const SCHEME: &str = "apiKey";

/// Lets a request pass that carries a valid API key: every role may read. As the first argument of a handler it guards
/// the handler.
pub(crate) struct ApiKey<G>(PhantomData<G>);

/// Lets a request pass whose API key may act on deliveries and destinations, and says whose it is.
pub(crate) struct OperatorKey<G>(pub(crate) Caller, PhantomData<G>);

/// Lets a request pass whose API key may do everything, and says whose it is.
pub(crate) struct AdminKey<G>(pub(crate) Caller, PhantomData<G>);

async fn caller<G: Gateway>(request: &Request) -> Result<Caller, Failure> {
    let gateway = request.data::<G>().ok_or_else(Failure::internal)?;
    let caller = match bearer(request.headers()) {
        Some(key) => gateway.authenticate(&key).await,
        None => None,
    };
    caller.ok_or_else(|| {
        Failure::new(
            Code::Unauthorized,
            "this operation needs a valid API key: send it as `Authorization: Bearer <key>`",
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postroom\""))
    })
}

/// Only behind a key, as all that is looked at.
fn check_parameters(request: &Request) -> Result<(), Failure> {
    request.data::<Parameters>().map_or(Ok(()), |parameters| parameters.check(request))
}

fn register_scheme(registry: &mut Registry) {
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

impl<'a, G: Gateway> ApiExtractor<'a> for ApiKey<G> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        caller::<G>(request).await?;
        check_parameters(request)?;
        Ok(Self(PhantomData))
    }
}

impl<'a, G: Gateway> ApiExtractor<'a> for OperatorKey<G> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = caller::<G>(request).await?;
        if caller.role < Role::Operator {
            return Err(Failure::new(
                Code::Forbidden,
                "this API key may only read; this operation needs one with the role operator or admin",
            )
            .into());
        }
        check_parameters(request)?;
        Ok(Self(caller, PhantomData))
    }
}

impl<'a, G: Gateway> ApiExtractor<'a> for AdminKey<G> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        register_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = caller::<G>(request).await?;
        if caller.role < Role::Admin {
            return Err(Failure::new(
                Code::Forbidden,
                "this API key may not do everything; this operation needs one with the role admin",
            )
            .into());
        }
        check_parameters(request)?;
        Ok(Self(caller, PhantomData))
    }
}
