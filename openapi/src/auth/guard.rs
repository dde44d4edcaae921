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

use super::{
    Caller, Credential, Role, origin, peer,
    presented::{self, Presented, SESSION_COOKIE},
};
use crate::{
    audit::{AuditVia, Known},
    parameters::Parameters,
    port::{AccessRefusal, Gateway},
    problem::{Code, Failure, seconds},
    session::forget_cookie,
};

/// The name of the API's security scheme in the document.
pub(crate) const SCHEME: &str = "apiKey";
/// The same, for the cookie of a session.
const SESSION_SCHEME: &str = "sessionCookie";

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

/// Whether what these headers present still lets somebody in. A long answer looks again and again, which nobody asked for: it
/// counts as no request, and what somebody asks beside it does not end it.
pub(crate) async fn is_still_let_in<G: Gateway>(gateway: &G, headers: &HeaderMap) -> bool {
    match Presented::of(headers) {
        Ok(Presented { key: Some(key), .. }) => gateway.still_stands(&key).await,
        Ok(Presented { session: Some(cookie), .. }) => gateway.session_still_stands(&cookie).await,
        Ok(_) | Err(_) => false,
    }
}

async fn caller<G: Gateway>(request: &Request) -> Result<Caller, Failure> {
    let gateway = request.data::<G>().ok_or_else(Failure::internal)?;
    let Presented { key, session } = Presented::of(request.headers()).map_err(|_| unauthorized())?;
    let by_key = match &key {
        Some(key) => Some(by_key(gateway, key, request).await?),
        None => None,
    };
    let by_session = match &session {
        Some(cookie) => Some(gateway.authenticate_session(cookie).await.map_err(session_refused)?),
        None => None,
    };
    // What a program sends on purpose counts before what a browser sends by itself.
    by_key.or(by_session).ok_or_else(unauthorized)
}

async fn by_key<G: Gateway>(gateway: &G, key: &Credential, request: &Request) -> Result<Caller, Failure> {
    gateway.authenticate(key, peer(request.remote_addr())).await.map_err(refused)
}

/// A browser sends a cookie that is over again and again, unless it is told to forget it.
fn session_refused(refusal: AccessRefusal) -> Failure {
    let is_over = refusal == AccessRefusal::Unknown;
    let failure = refused(refusal);
    if is_over { failure.with_header(header::SET_COOKIE, forget_cookie()) } else { failure }
}

fn refused(refusal: AccessRefusal) -> Failure {
    let (retry_after, detail) = match refusal {
        AccessRefusal::Unknown => return unauthorized(),
        AccessRefusal::TooManyFailures { retry_after } => {
            (retry_after, "too many requests with wrong API keys come from this address; try again later")
        }
        AccessRefusal::TooManyRequests { retry_after } => {
            (retry_after, "this API key asks more than `[api] requests_per_second` allows; try again later")
        }
    };
    Failure::new(Code::TooManyRequests, detail).with_header(header::RETRY_AFTER, seconds(retry_after))
}

fn unauthorized() -> Failure {
    Failure::new(
        Code::Unauthorized,
        "this operation needs a valid API key and nothing else beside it: send it as `Authorization: Bearer <key>`",
    )
    .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postroom\""))
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
            description: Some(
                "An API key: one of the gateway's configuration, or one that was made by the API.",
            ),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        },
    );
}

fn register_session_scheme(registry: &mut Registry) {
    registry.create_security_scheme(
        SESSION_SCHEME,
        MetaSecurityScheme {
            ty: "apiKey",
            description: Some(
                "A session of a browser, begun with an API key by createSession. What changes something is taken from the \
                 gateway's own pages alone.",
            ),
            name: Some(SESSION_COOKIE),
            key_in: Some("cookie"),
            scheme: None,
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
        register_session_scheme(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME, SESSION_SCHEME]
    }

    async fn from_request(
        request: &'a Request,
        _body: &mut RequestBody,
        _options: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = caller::<G>(request).await?;
        if let Some(known) = request.data::<Known>() {
            known.is(&caller);
        }
        if caller.via == AuditVia::Session {
            origin::check(request)?;
        }
        check_role(&caller, N::ROLE)?;
        check_parameters(request)?;
        Ok(Self(caller, PhantomData))
    }
}

/// Lets a request pass that has an API key, and looks at no cookie: it begins a session.
pub(crate) struct KeyOnly<G> {
    pub(crate) caller: Caller,
    pub(crate) key: Credential,
    gateway: PhantomData<fn() -> G>,
}

impl<'a, G: Gateway> ApiExtractor<'a> for KeyOnly<G> {
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
        let gateway = request.data::<G>().ok_or_else(Failure::internal)?;
        let key = presented::key(request.headers()).ok().flatten().ok_or_else(unauthorized)?;
        let caller = by_key(gateway, &key, request).await?;
        if let Some(known) = request.data::<Known>() {
            known.is(&caller);
        }
        check_parameters(request)?;
        Ok(Self { caller, key, gateway: PhantomData })
    }
}
