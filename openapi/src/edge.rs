//! What every answer has, whoever made it: a request id, safe headers, a problem body when it is an error; and what
//! every request leaves behind: one count, one line in the log, and an entry in the audit log if it may change something.

use std::{panic::AssertUnwindSafe, time::Instant};

use futures_util::FutureExt as _;
use poem::{
    Endpoint, Request, Response,
    error::MethodNotAllowedError,
    http::{HeaderMap, HeaderValue, Method, header},
};
use poem_openapi::error::ParseParamError;
use tracing::Instrument as _;

use crate::{
    audit::{Trail, may_change},
    docs_ui::DOCUMENT,
    etag,
    operations::Operations,
    parameters::Parameters,
    port::{Gateway, NO_OPERATION, RequestSeen},
    problem::Failure,
    request_id::{self, RequestId},
};

/// Wraps the whole surface. Outermost, so that no answer leaves without it.
pub(crate) struct Edge<E, G> {
    pub(crate) inner: E,
    pub(crate) gateway: G,
    pub(crate) operations: Operations,
}

impl<E: Endpoint<Output = Response>, G: Gateway> Endpoint for Edge<E, G> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = RequestId::of(request.headers());
        let operation = self.operations.find(request.method(), request.uri().path()).unwrap_or(NO_OPERATION);
        let allow =
            if operation == NO_OPERATION { self.operations.allow(request.uri().path()) } else { None };
        let parameters = self.operations.parameters(operation);
        let is_head = request.method() == Method::HEAD;
        let is_conditional = (is_head || request.method() == Method::GET)
            && (operation == DOCUMENT || self.operations.is_conditional(operation));
        if is_conditional {
            // The tag is made of the body, which the router would take from a HEAD.
            request.set_method(Method::GET);
        }
        let known = request.headers().get(header::IF_NONE_MATCH).filter(|_| is_conditional).cloned();
        request.set_data(self.gateway.clone());
        // Only what needs a key has parameters that are known.
        let trail = (parameters.is_some() && may_change(operation, request.method())).then(|| {
            let object = self.operations.object(operation, request.uri().path());
            Trail::begin(self.gateway.clone(), operation, object, id.as_str())
        });
        if let Some(trail) = &trail {
            request.set_data(trail.known());
        }
        if let Some(parameters) = parameters {
            request.set_data(parameters.clone());
        }

        // The URL is nowhere in here: it holds the token of a hook. At debug, because a span costs more than a no-op hook.
        let span = tracing::debug_span!("request", id = id.as_str(), operation);
        let answer = AssertUnwindSafe(self.inner.call(request).instrument(span)).catch_unwind().await;
        let answer = match answer {
            // Apart, so that no hook carries room for it.
            Ok(Ok(response)) if is_conditional => {
                let mut response = Box::pin(etag::conditional(response, known)).await;
                if is_head {
                    response.set_body(());
                }
                Ok(response)
            }
            Ok(answer) => answer.map_err(|error| refuse(&error, allow, parameters)),
            Err(_) => {
                tracing::error!(operation, request = id.as_str(), "handler panicked");
                Err(Failure::internal())
            }
        };
        if let Some(trail) = trail {
            // Apart: every hook would carry room for it along.
            Box::pin(trail.end(answer.as_ref().err())).await;
        }
        let mut response = answer.unwrap_or_else(|failure| failure.into_problem(Some(id.as_str())));

        let seen = RequestSeen { operation, status: response.status().as_u16(), duration: started.elapsed() };
        tracing::debug!(
            operation,
            request = id.as_str(),
            status = seen.status,
            seconds = seen.duration.as_secs_f64(),
            "request answered"
        );
        self.gateway.observe(seen);
        guard(response.headers_mut());
        response.headers_mut().insert(request_id::HEADER, id.into_header());
        Ok(response)
    }
}

fn refuse(error: &poem::Error, allow: Option<String>, parameters: Option<&Parameters>) -> Failure {
    if let Some(ParseParamError { name, .. }) = error.downcast_ref()
        && let Some(failure) = parameters.and_then(|parameters| parameters.refusal(name))
    {
        return failure;
    }
    let failure = Failure::from_poem(error);
    match allow.and_then(|allow| HeaderValue::try_from(allow).ok()) {
        Some(allow) if error.is::<MethodNotAllowedError>() => failure.with_header(header::ALLOW, allow),
        _ => failure,
    }
}

/// Headers that keep a browser from doing anything with an answer but showing it. An answer that is meant for a browser
/// brings its own.
fn guard(headers: &mut HeaderMap) {
    let defaults = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests;
