//! The one error body: problem details (RFC 9457) with a stable `code`.

use std::{fmt, time::Duration};

use poem::{
    Response,
    error::{MethodNotAllowedError, NotFoundError, ParsePathError, ResponseError},
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use poem_openapi::{
    ApiResponse, Enum, Object,
    error::{ParseParamError, ParsePathError as ParsePathParamError},
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{ParseFromJSON as _, ToJSON as _, Type as _},
};
use serde_json::Value;

use crate::port::{ActionError, ReadError, RunError};

/// The media type of every error body.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(skip_serializing_if_is_none)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[oai(rename = "type")]
    pub type_uri: String,
    /// The HTTP status in words.
    pub title: String,
    /// The HTTP status.
    #[oai(validator(minimum(value = "400"), maximum(value = "599")))]
    pub status: u16,
    /// What went wrong, for programs.
    pub code: Code,
    /// A sentence for people: what, why, and what to do.
    pub detail: String,
    /// One sentence for each cause, where there are several.
    pub reasons: Option<Vec<String>>,
    /// The `X-Request-Id` of the answer, to find it in the gateway's log.
    pub request_id: Option<String>,
}

/// What went wrong, for programs. Each code always comes with the same status, except `bad_request`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename = "ProblemCode", rename_all = "snake_case")]
pub enum Code {
    /// A parameter cannot be read or is out of bounds.
    InvalidParameter,
    /// The body broke off, is not the gzip it says it is, or does not say what the operation takes.
    InvalidBody,
    /// No API key, or nobody's.
    Unauthorized,
    /// The API key does not allow this operation.
    Forbidden,
    /// Nothing has this id or name.
    NotFound,
    /// No operation has this path.
    NoSuchPath,
    /// The path has operations, but not with this method.
    MethodNotAllowed,
    /// What it is about does not stand so that it could be done.
    Conflict,
    /// The configuration has faults, or a plugin does not run with it: `reasons` says each.
    ConfigFaulty,
    /// The body did not arrive in time.
    BodyTimeout,
    /// The body is over the limit of its source or operation.
    BodyTooLarge,
    /// The body is compressed in a way that we do not undo.
    UnsupportedEncoding,
    /// The body is not of the media type that the operation takes.
    UnsupportedMediaType,
    /// The source sends faster than it may.
    TooManyRequests,
    /// What an action takes is not what it was given; each of `reasons` begins with the place.
    InvalidInput,
    /// A plugin failed.
    PluginFailed,
    /// An action was not done in time.
    ActionTimeout,
    /// A request that is refused for a reason of HTTP itself.
    BadRequest,
    /// The store or another part cannot serve now.
    Unavailable,
    /// The gateway is not ready for events.
    NotReady,
    /// The stored body of an event is missing or was changed.
    BodyLost,
    /// A fault of ours.
    Internal,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_json().as_ref().and_then(Value::as_str).unwrap_or_default())
    }
}

impl Code {
    /// The code with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::parse_from_json(Some(name.into())).ok()
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InvalidParameter | Self::InvalidBody | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::ConfigFaulty => StatusCode::UNPROCESSABLE_ENTITY,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedEncoding | Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidInput => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PluginFailed => StatusCode::BAD_GATEWAY,
            Self::ActionTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::BodyLost | Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// An error on its way out. Every handler and extractor fails with this; it becomes a response at the edge, where the
/// request's id is known.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    code: Code,
    detail: String,
    reasons: Option<Vec<String>>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Failure {
    /// A failure with the code's own status. `detail` must not hold anything secret.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { status: code.status(), code, detail: detail.into(), reasons: None, headers: Vec::new() }
    }

    /// Nothing of this `kind` has the id or name that was asked for.
    pub(crate) fn not_found(kind: &str) -> Self {
        Self::new(Code::NotFound, format!("no such {kind}"))
    }

    /// A fault of ours. What it was belongs in the log, not in the answer.
    pub(crate) fn internal() -> Self {
        Self::new(Code::Internal, "the gateway failed to answer; its log says more, look for the request id")
    }

    pub(crate) fn code(&self) -> Code {
        self.code
    }

    /// Whether it is not the request that is at fault.
    pub(crate) fn is_fault(&self) -> bool {
        self.status.is_server_error()
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_reasons(mut self, reasons: Vec<String>) -> Self {
        self.reasons = Some(reasons);
        self
    }

    /// Makes a failure of any error of poem's: an unknown path, a parameter that cannot be read.
    pub(crate) fn from_poem(error: &poem::Error) -> Self {
        if let Some(failure) = error.downcast_ref::<Self>() {
            return failure.clone();
        }
        if error.is::<NotFoundError>() {
            return Self::new(Code::NoSuchPath, "nothing is offered at this path; /docs lists what is");
        }
        if error.is::<MethodNotAllowedError>() {
            return Self::new(
                Code::MethodNotAllowed,
                "this path does not take this method; the Allow header lists those it takes",
            );
        }
        if let Some(ParseParamError { name, .. }) = error.downcast_ref() {
            // The reason inside speaks of types of Rust; what the operation takes is known at the edge.
            return Self::new(
                Code::InvalidParameter,
                format!("parameter `{name}` cannot have this value; /docs lists what it takes"),
            );
        }
        if error.is::<ParsePathParamError>() || error.is::<ParsePathError>() {
            return Self::new(Code::InvalidParameter, "a part of the path cannot be read");
        }
        if error.status().is_client_error() {
            return Self {
                status: error.status(),
                ..Self::new(Code::BadRequest, "the request cannot be read")
            };
        }
        tracing::error!(%error, "request failed in an unforeseen way");
        Self::internal()
    }

    /// The answer to a request with this id.
    pub(crate) fn into_problem(self, request_id: Option<&str>) -> Response {
        let problem = Problem {
            type_uri: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            reasons: self.reasons,
            request_id: request_id.map(str::to_owned),
        };
        let mut response = Response::builder()
            .status(self.status)
            .header(header::CONTENT_TYPE, PROBLEM_JSON)
            .body(problem.to_json_string());
        response.headers_mut().extend(self.headers);
        response
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Failure {}

impl ResponseError for Failure {
    fn status(&self) -> StatusCode {
        self.status
    }

    fn as_response(&self) -> Response {
        self.clone().into_problem(None)
    }
}

/// In the document, all errors are two ranges with one body, so that a client can be written once and a new status
/// breaks nobody. JSON is listed beside problem+json because some generators know no other media type.
impl ApiResponse for Failure {
    fn meta() -> MetaResponses {
        let range = |range: &str, description| MetaResponse {
            description,
            status: None,
            status_range: Some(range.to_owned()),
            content: [PROBLEM_JSON, "application/json"]
                .map(|content_type| MetaMediaType { content_type, schema: Problem::schema_ref() })
                .into(),
            headers: vec![],
        };
        MetaResponses {
            responses: vec![
                range("4XX", "The request was refused; `code` and `detail` say why."),
                range("5XX", "The gateway cannot answer now; `code` and `detail` say why."),
            ],
        }
    }

    fn register(registry: &mut Registry) {
        Problem::register(registry);
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::BadParameter { .. } => Self::new(Code::InvalidParameter, error.to_string()),
            ReadError::BodyLost => Self::new(Code::BodyLost, error.to_string()),
            ReadError::Unavailable { .. } => Self::new(Code::Unavailable, error.to_string()),
        }
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        let text = error.to_string();
        let code = match error {
            ActionError::Faulty { reasons, .. } => {
                return Self::new(Code::ConfigFaulty, text).with_reasons(reasons);
            }
            ActionError::Conflict { .. } => Code::Conflict,
            ActionError::BadField { .. } => Code::InvalidBody,
            ActionError::Unavailable { .. } => Code::Unavailable,
        };
        Self::new(code, text)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let code = match &error {
            RunError::UnknownAction | RunError::NotFound { .. } => Code::NotFound,
            RunError::Input { .. } => Code::InvalidInput,
            RunError::InputTooLarge { .. } => Code::BodyTooLarge,
            RunError::Refused { .. } => Code::Conflict,
            RunError::Unavailable { .. } => Code::Unavailable,
            RunError::TimedOut { .. } => Code::ActionTimeout,
            RunError::Failed { .. } => Code::PluginFailed,
        };
        let failure = Self::new(code, error.to_string());
        match error {
            RunError::Input { reasons } => failure.with_reasons(reasons),
            _ => failure,
        }
    }
}

/// `Retry-After` in whole seconds, rounded up: coming back too early would be refused again.
pub(crate) fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;
