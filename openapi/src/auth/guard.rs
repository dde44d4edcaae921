//! What stands before a handler: without a key that allows enough, nothing else of the request is looked at.

use std::marker::PhantomData;

use poem::{
    Request, RequestBody,
    http::{HeaderMap, HeaderValue, header},
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

/// Lets a request pass whose API key allows what `N` needs, and says whose it is. As the first argument of a handler it
/// guards the handler.
pub(crate) struct Key<G, N>(pub(crate) Caller, PhantomData<fn() -> (G, N)>);

/// A key of any role: every role may read.
pub(crate) type ApiKey<G> = Key<G, Reading>;
/// A key that may act on deliveries and destinations.
pub(crate) type OperatorKey<G> = Key<G, Acting>;
/// A key that may do everything.
pub(crate) type AdminKey<G> = Key<G, Everything>;

/// What an operation needs of a key.
pub(crate) trait Needs: Send + Sync {
    /// The least role that allows it.
    const ROLE: Role;
}

pub(crate) struct Reading;
pub(crate) struct Acting;
pub(crate) struct Everything;

impl Needs for Reading {
    const ROLE: Role = Role::Viewer;
}

impl Needs for Acting {
    const ROLE: Role = Role::Operator;
}

impl Needs for Everything {
    const ROLE: Role = Role::Admin;
}

/// Who is let in by these headers now. A long answer asks again.
pub(crate) async fn caller_now<G: Gateway>(gateway: &G, headers: &HeaderMap) -> Option<Caller> {
    gateway.authenticate(&bearer(headers)?).await
}

async fn caller<G: Gateway>(request: &Request) -> Result<Caller, Failure> {
    let gateway = request.data::<G>().ok_or_else(Failure::internal)?;
    caller_now(gateway, request.headers()).await.ok_or_else(|| {
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

fn check_role(caller: &Caller, needed: Role) -> Result<(), Failure> {
    if caller.role >= needed {
        return Ok(());
    }
    let message = match needed {
        Role::Viewer | Role::Operator => {
            "this API key may only read; this operation needs one with the role operator or admin"
        }
        Role::Admin => "this API key may not do everything; this operation needs one with the role admin",
    };
    Err(Failure::new(Code::Forbidden, message))
}

impl<'a, G: Gateway, N: Needs> ApiExtractor<'a> for Key<G, N> {
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
        check_role(&caller, N::ROLE)?;
        check_parameters(request)?;
        Ok(Self(caller, PhantomData))
    }
}
