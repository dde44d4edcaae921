//! Requests over HTTP, for every service that speaks it: our own and those of OpenDAL.
//!
//! Here, in one place, an answer that is a refusal becomes a [`StorageError`] with the setting it is about, a bearer token
//! is put in and renewed, and nothing is sent beyond the reach.

use std::{fmt, net::IpAddr, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{
    HeaderName, HeaderValue, Request, Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE},
};
use opendal::{Buffer, HttpBody, HttpTransport};
use postroom_sdk::{Secret, http::no_answer};
use url::Url;

use super::{
    Setup, StorageError,
    answer::{self, Terms},
    gdrive,
    oauth::Tokens,
};

/// Most of an answer that is taken: more than any collection, less than the plugin's memory.
const BODY_BYTES_MAX: usize = 256 * 1024 * 1024;
/// A download is sent on once, to where the content is.
const REDIRECTS_MAX: usize = 3;

/// Sends requests to one service. Cheap to clone.
#[derive(Clone)]
pub(super) struct Http(Arc<Inner>);

struct Inner {
    setup: Setup,
    terms: Terms,
    /// Whether a download may be sent on to another host: the services that do it are named, for a service that does not
    /// is not what the settings mean.
    follows: bool,
    /// Kept out of messages.
    secrets: Vec<Secret>,
    tokens: Option<Tokens>,
}

impl Http {
    pub(super) fn new(setup: &Setup, terms: Terms, secrets: Vec<Secret>) -> Self {
        Self(Arc::new(Inner { setup: setup.clone(), terms, follows: false, secrets, tokens: None }))
    }

    /// For a service whose requests carry a bearer token.
    pub(super) fn with_tokens(setup: &Setup, terms: Terms, secrets: Vec<Secret>, tokens: Tokens) -> Self {
        let tokens = Some(tokens);
        Self(Arc::new(Inner { setup: setup.clone(), terms, follows: false, secrets, tokens }))
    }

    /// For such a service whose downloads are sent on to another host.
    pub(super) fn following(setup: &Setup, terms: Terms, secrets: Vec<Secret>, tokens: Tokens) -> Self {
        let tokens = Some(tokens);
        Self(Arc::new(Inner { setup: setup.clone(), terms, follows: true, secrets, tokens }))
    }

    pub(super) fn terms(&self) -> &Terms {
        &self.0.terms
    }

    pub(super) fn now_unix_ms(&self) -> u64 {
        self.0.setup.now_unix_ms()
    }

    /// Sends a request and takes the whole answer. A request with `Authorization` gets a valid token there, if there are
    /// tokens; one that has run out is renewed once.
    ///
    /// Answers that the caller has to understand come as they are: successes, 404, 405, 409, 412 and 416.
    pub(super) async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, StorageError> {
        let signed = request.headers().contains_key(AUTHORIZATION);
        let Some(tokens) = self.0.tokens.as_ref().filter(|_| signed) else {
            return self.judge(self.exchange(request).await?, &[]);
        };
        let token = tokens.token(self).await?;
        let answer = self.exchange(with_token(request.clone(), &token)?).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return self.judge(answer, &[token]);
        }
        match tokens.renew(self, &token).await? {
            Some(token) => {
                let answer = self.exchange(with_token(request, &token)?).await?;
                self.judge(answer, &[token])
            }
            None => self.judge(answer, &[token]),
        }
    }

    /// The answer, unless it is a refusal.
    pub(super) fn judge(
        &self,
        answer: Response<Bytes>,
        tokens: &[Secret],
    ) -> Result<Response<Bytes>, StorageError> {
        let secrets: Vec<Secret> = self.0.secrets.iter().chain(tokens).cloned().collect();
        let now_unix_ms = self.now_unix_ms();
        let (status, headers) = (answer.status(), answer.headers());
        match answer::failure(&self.0.terms, status, headers, answer.body(), now_unix_ms, &secrets) {
            Some(failure) => Err(failure),
            None => Ok(answer),
        }
    }

    /// One request and its answer, whatever it is; sent on as far as the service may.
    pub(super) async fn exchange(
        &self,
        mut request: Request<Bytes>,
    ) -> Result<Response<Bytes>, StorageError> {
        let method = request.method().clone();
        for _ in 0..=REDIRECTS_MAX {
            // Neither the token nor the body goes on: the address that a download is sent on to is a secret itself.
            let range = request.headers().get(RANGE).cloned();
            let answer = self.exchange_once(request).await?;
            let on = answer.headers().get(LOCATION).filter(|_| answer.status().is_redirection());
            let on = on.and_then(|location| location.to_str().ok()).filter(|_| self.0.follows);
            let (Some(location), &http::Method::GET) = (on, &method) else { return Ok(answer) };
            if !location.starts_with("https://") {
                return Err(self.strange("a download was sent on to an address without https"));
            }
            request = Request::get(location)
                .body(Bytes::new())
                .map_err(|_| self.strange("a download was sent on to what is no address"))?;
            if let Some(range) = range {
                request.headers_mut().insert(RANGE, range);
            }
        }
        Err(self.strange("a download was sent on again and again"))
    }

    async fn exchange_once(&self, request: Request<Bytes>) -> Result<Response<Bytes>, StorageError> {
        let (parts, body) = request.into_parts();
        let mut url = Url::parse(&parts.uri.to_string())
            .map_err(|error| StorageError::other("bad_request", format!("no address: {error}")))?;
        self.check_reach(&url)?;
        let mut headers = parts.headers;
        self.divert(&mut url, &mut headers);
        let mut sent = self.0.setup.client.request(parts.method, url).headers(headers);
        if !body.is_empty() {
            sent = sent.body(body);
        }
        let lost = |error| StorageError::no_answer(no_answer(error));
        let mut answer = sent.send().await.map_err(lost)?;
        let mut taken = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if taken.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(self.strange("the answer is larger than 256 MiB"));
            }
            taken.extend_from_slice(&chunk);
        }
        let mut response = Response::new(taken.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }

    /// A name is checked when it is looked up; an address in digits is not.
    fn check_reach(&self, url: &Url) -> Result<(), StorageError> {
        let host = url.host_str().unwrap_or_default();
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if address.is_none_or(|address| self.0.setup.reach.allows(address)) {
            return Ok(());
        }
        Err(StorageError::Misconfigured {
            setting: "endpoint",
            why: "the address is one where clouds keep the credentials of their machines, or the like"
                .to_owned(),
        })
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "only tests have doubles")]
    fn divert(&self, _: &mut Url, _: &mut http::HeaderMap) {}

    /// A double stands for every host, and is told which.
    #[cfg(test)]
    fn divert(&self, url: &mut Url, headers: &mut http::HeaderMap) {
        let Some(double) = self.0.setup.double else { return };
        let host = url.host_str().unwrap().parse().unwrap();
        headers.insert(http::header::HOST, host);
        url.set_scheme("http").unwrap();
        url.set_ip_host(double.ip()).unwrap();
        url.set_port(Some(double.port())).unwrap();
    }

    pub(super) fn strange(&self, what: &str) -> StorageError {
        StorageError::other("strange_answer", format!("{}: {what}", self.0.terms.service))
    }
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("terms", &self.0.terms).finish_non_exhaustive()
    }
}

fn with_token(mut request: Request<Bytes>, token: &Secret) -> Result<Request<Bytes>, StorageError> {
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
        .map_err(|_| StorageError::other("bad_token", "the token has characters that HTTP does not allow"))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}

/// What OpenDAL sends goes the same way. A refusal is the source of its error, and found again there.
impl HttpTransport for Http {
    async fn fetch(&self, request: Request<Buffer>) -> opendal::Result<Response<HttpBody>> {
        let mut request = request.map(|body| body.to_bytes());
        tidy(&mut request);
        let is_part = request.headers().contains_key(CONTENT_RANGE);
        let answer = if gdrive::is_large_upload(&request) {
            gdrive::upload(self, request).await
        } else {
            self.send(request).await
        };
        let mut answer = answer.map_err(|error| {
            opendal::Error::new(opendal::ErrorKind::Unexpected, "refused").set_source(error)
        })?;
        if is_part && self.0.terms.service == "OneDrive" && answer.status() == StatusCode::OK {
            // The last part of a file that takes another's place; OpenDAL knows only the one of a new file.
            *answer.status_mut() = StatusCode::CREATED;
        }
        Ok(answer.map(|body| {
            let length = body.len() as u64;
            HttpBody::new(stream::iter([Ok(Buffer::from(body))]), Some(length))
        }))
    }
}

const DROPBOX_ARGUMENT: HeaderName = HeaderName::from_static("dropbox-api-arg");

/// Two things that the services want otherwise than OpenDAL sends them.
fn tidy(request: &mut Request<Bytes>) {
    // Dropbox wants its JSON header in ASCII.
    if let Some(argument) = request.headers().get(DROPBOX_ARGUMENT)
        && let Ok(argument) = std::str::from_utf8(argument.as_bytes())
        && let Ok(ascii) = HeaderValue::try_from(in_ascii(argument))
    {
        request.headers_mut().insert(DROPBOX_ARGUMENT, ascii);
    }
    // Google wants the parts of an upload to be related.
    if request.uri().host() == Some("www.googleapis.com")
        && let Some(kind) = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok())
        && let Some(boundary) = kind.strip_prefix("multipart/form-data;")
        && let Ok(kind) = HeaderValue::try_from(format!("multipart/related;{boundary}"))
    {
        request.headers_mut().insert(CONTENT_TYPE, kind);
    }
}

/// JSON with every character beyond ASCII escaped.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    let mut units = [0; 2];
    for c in json.chars() {
        if c.is_ascii() && c != '\u{7f}' {
            ascii.push(c);
        } else {
            for unit in c.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    ascii
}

#[cfg(test)]
mod tests;
