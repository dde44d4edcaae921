//! One request and its answer: with the key, within the time, and no more often than Postman wants.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use postroom_sdk::{
    Bytes, Failure, Secret,
    http::{Reach, no_answer},
    tokio::time::Instant,
};
use reqwest::{
    Client, Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use url::Url;

use super::{Session, error::Error, limits};

/// The operator alone says where Postman is, and what stands before it may be in a private network.
pub(super) const REACH: Reach = Reach::Private;
/// Most of an answer that is taken: a collection, and what Postman writes around it.
const ANSWER_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How often a request that may be repeated is, when nothing or an error came back.
const TRIES_MAX: u32 = 4;
/// Before the first repetition; it doubles.
const PAUSE_MIN: Duration = Duration::from_secs(1);
/// Longest time for a question. What carries a collection may take as long as there is.
const QUESTION_MAX: Duration = Duration::from_secs(60);
/// What is kept of the time, to see what came of a request without an answer.
const LOOK_TIME: Duration = Duration::from_secs(20);

/// What is asked of Postman.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Ids come from outside: they are plain, see `is_plain_id`.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Bytes>,
    pub(super) prefer: Option<&'static str>,
}

/// What it answers.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// What came of a request.
pub(super) enum Sent {
    Answer(Answer),
    /// It may have been carried out, and is not of the kind that can be repeated.
    Unclear(String),
}

/// How requests get to Postman.
pub(super) enum Transport {
    Network(Client),
    #[cfg(test)]
    Double(super::tests::Line),
}

/// Sends requests.
pub(super) struct Exchange {
    base_url: Url,
    transport: Transport,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
    /// Postman has said that it takes no request before.
    not_before: Mutex<Option<Instant>>,
}

impl Exchange {
    /// With the time of `clock`, for a `Retry-After` that is a date.
    pub(super) fn new(
        base_url: &str,
        transport: Transport,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Self, String> {
        let base_url = Url::parse(base_url).map_err(|_| "`postman.base_url` is not an address".to_owned())?;
        // An address in digits is never looked up, so the client would not refuse it.
        let host = base_url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse().is_ok_and(|address| !REACH.allows(address)) {
            return Err("`postman.base_url` leads to an address that no plugin reaches".to_owned());
        }
        Ok(Self { base_url, transport, clock: Box::new(clock), not_before: Mutex::default() })
    }

    /// Asks, and waits and asks again where that may help. Any answer but those is the caller's to judge.
    pub(super) async fn send(&self, session: &Session, ask: &Ask) -> Result<Sent, Error> {
        let may_repeat = ask.method != Method::POST;
        let mut tries = 1;
        let mut pause = PAUSE_MIN;
        loop {
            self.wait_for_turn(session).await?;
            let why = match self.once(session, ask).await {
                Ok(answer) if answer.status == 429 => {
                    if limits::is_month_over(&answer.headers) {
                        return Err(Error::Month);
                    }
                    self.rest(limits::after_refusal(&answer.headers, (self.clock)()));
                    continue;
                }
                Ok(answer) if answer.status >= 500 || answer.status == 408 => {
                    format!("the answer was {}", answer.status)
                }
                Ok(answer) => {
                    if let Some(wait) = limits::after_last(&answer.headers, (self.clock)()) {
                        self.rest(wait);
                    }
                    return Ok(Sent::Answer(answer));
                }
                Err(Failure::Retry { code, message, .. }) if may_repeat || code == "connect" => message,
                Err(Failure::Retry { message, .. }) => return Ok(Sent::Unclear(message)),
                Err(other) => return Err(Error::Misconfigured(other.to_string())),
            };
            if !may_repeat && why.starts_with("the answer") {
                return Ok(Sent::Unclear(why));
            }
            tries += 1;
            if tries > TRIES_MAX || !session.pause(pause).await {
                return Err(Error::Unavailable { why });
            }
            pause *= 2;
        }
    }

    async fn wait_for_turn(&self, session: &Session) -> Result<(), Error> {
        let not_before = *self.not_before.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = not_before.map_or(Duration::ZERO, |at| at.saturating_duration_since(Instant::now()));
        if wait > Duration::ZERO && !session.pause(wait).await {
            return Err(Error::RateLimited { wait });
        }
        Ok(())
    }

    fn rest(&self, wait: Duration) {
        *self.not_before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + wait);
    }

    async fn once(&self, session: &Session, ask: &Ask) -> Result<Answer, Failure> {
        let left = session.left();
        let patience = match &ask.body {
            Some(_) => left.saturating_sub(LOOK_TIME).max(left / 2),
            None => left.min(QUESTION_MAX),
        };
        match &self.transport {
            Transport::Network(client) => self.over_network(client, &session.key, ask, patience).await,
            #[cfg(test)]
            Transport::Double(line) => line.send(session.key.expose(), ask).await,
        }
    }

    async fn over_network(
        &self,
        client: &Client,
        key: &Secret,
        ask: &Ask,
        patience: Duration,
    ) -> Result<Answer, Failure> {
        let mut url = self.base_url.clone();
        url.set_path(&format!("{}{}", self.base_url.path().trim_end_matches('/'), ask.path));
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&ask.query);
        }
        // A file often ends in a line break.
        let mut key = HeaderValue::from_str(key.expose().trim()).map_err(|_| {
            Failure::misconfigured("postman", "the key of `postman.api_key` holds characters that no key has")
        })?;
        // So that no log of a library shows it.
        key.set_sensitive(true);
        let mut request = client.request(ask.method.clone(), url).timeout(patience);
        request = request.header("x-api-key", key).header(ACCEPT, "application/json");
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        if let Some(prefer) = ask.prefer {
            request = request.header("prefer", prefer);
        }
        let mut response = request.send().await.map_err(no_answer)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(no_answer)? {
            if body.len() + piece.len() > ANSWER_BYTES_MAX {
                let why = format!("the answer is longer than {ANSWER_BYTES_MAX} bytes");
                return Err(Failure::misconfigured("postman", why));
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status, headers, body: body.into() })
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("not_before", &self.not_before).finish_non_exhaustive()
    }
}
