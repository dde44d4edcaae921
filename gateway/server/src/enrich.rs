//! What failed in a run, asked of Postman's API: the webhook only counts.
//!
//! A webhook names no run. So the newest execution of its monitor is taken that ended shortly before the webhook came and
//! counts as many failed tests; there may be none, and then nothing is added. All of this is an extra: whatever Postman
//! answers, the incident is told.

mod read;
mod rest;

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures_util::future::BoxFuture;
use postroom_core::{
    monitor::{Identity, Run},
    secret::Secret,
    time::Timestamp,
};
use postroom_engine::{Clock, Failure, Failures};
use reqwest::{
    Client, StatusCode, Url,
    header::{HeaderMap, HeaderValue},
};
use serde_json::Value;

use self::{
    read::{Execution, Region},
    rest::Rest,
};
use crate::commands::send::client;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// Runs of one execution that are looked at: one for each region.
const REGIONS_MAX: usize = 4;

/// Postman's API, with a key for it.
#[derive(Debug)]
pub(crate) struct PostmanApi {
    client: Client,
    base_url: Url,
    key: HeaderValue,
    clock: Clock,
    rest: Mutex<Rest>,
}

/// Why there is no answer to read.
#[derive(Debug)]
enum Refused {
    /// Nobody is asked for a while, and that was said.
    Resting,
    /// No such thing.
    NotFound,
    /// Anything else, which the log says.
    Failed(String),
}

/// Why the API cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// The key cannot be sent.
    #[error("the key holds characters that no header can hold")]
    Key,
    /// The address cannot be used.
    #[error("the address of Postman's API cannot be used")]
    Url,
    /// There are no certificates.
    #[error("the client cannot be set up")]
    Client(#[source] reqwest::Error),
}

impl PostmanApi {
    /// Sets up a client for the API at `base_url`, without a slash at its end.
    ///
    /// # Errors
    /// See [`SetupError`]; none of them says the key.
    pub(crate) fn new(base_url: &str, key: &Secret, clock: Clock) -> Result<Self, SetupError> {
        let mut key = HeaderValue::from_str(key.expose()).map_err(|_| SetupError::Key)?;
        // So that no log of a library shows it.
        key.set_sensitive(true);
        let base_url = Url::parse(base_url).map_err(|_| SetupError::Url)?;
        let client = client::client(base_url.as_str()).map_err(SetupError::Client)?;
        Ok(Self { client, base_url, key, clock, rest: Mutex::default() })
    }

    async fn find(&self, uid: &str, run: &Run) -> Result<Option<Vec<Failure>>, Refused> {
        let executions = self.get(&["monitors", uid, "executions"]).await?;
        let Some(execution) = Execution::matching(&executions, run) else { return Ok(None) };
        let regions = self.get(&["monitors", uid, "executions", &execution.id, "runs"]).await?;
        let regions = Region::all(&regions);
        for region in Region::likely(&regions, run).into_iter().take(REGIONS_MAX) {
            let results = self.get(&["monitors", uid, "runs", &region.id, "results"]).await?;
            let failures = read::failures(&results);
            // Without counts before, those of the results decide.
            if !failures.is_empty() && (execution.is_sure || region.is_sure || read::agree(&failures, run)) {
                return Ok(Some(failures));
            }
        }
        Ok(None)
    }

    async fn get(&self, path: &[&str]) -> Result<Value, Refused> {
        let now = self.clock.now();
        if self.rest().is_resting(now) {
            return Err(Refused::Resting);
        }
        // Ids come from outside: none may lead to another place.
        let is_plain = |part: &&str| {
            part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let mut url = self.base_url.clone();
        match url.path_segments_mut() {
            Ok(mut segments) if path.iter().all(|part| !part.is_empty() && is_plain(part)) => {
                segments.pop_if_empty().extend(path);
            }
            _ => return Err(Refused::NotFound),
        }
        let request = self.client.get(url).header("x-api-key", self.key.clone());
        let response = request.send().await.map_err(|error| Refused::Failed(client::cause(error)))?;
        let (status, headers) = (response.status(), response.headers().clone());
        self.note(status, &headers, now);
        match status {
            StatusCode::OK => read_json(response).await,
            StatusCode::NOT_FOUND => Err(Refused::NotFound),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                Err(Refused::Resting)
            }
            status => Err(Refused::Failed(format!("it answered {status}"))),
        }
    }

    fn note(&self, status: StatusCode, headers: &HeaderMap, now: Timestamp) {
        if let Some((wait, why)) = self.rest().note(status, headers, now) {
            tracing::warn!(
                status = status.as_u16(),
                wait_s = wait.as_secs(),
                "Postman's API is not asked for a while, {why}"
            );
        }
    }

    fn rest(&self) -> MutexGuard<'_, Rest> {
        // A panic elsewhere cannot leave a few numbers half written.
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failures for PostmanApi {
    fn of<'a>(&'a self, monitor: &'a Identity, run: &'a Run) -> BoxFuture<'a, Option<Vec<Failure>>> {
        Box::pin(async move {
            match self.find(&monitor.uid, run).await {
                Ok(Some(failures)) => Some(failures),
                Ok(None) => {
                    tracing::debug!(
                        monitor = monitor.uid,
                        "Postman's API shows no run that fits, or nothing that failed in it"
                    );
                    None
                }
                Err(Refused::Resting) => None,
                Err(Refused::NotFound) => {
                    if self.rest().may_tell_not_found(self.clock.now()) {
                        tracing::info!(
                            monitor = monitor.uid,
                            "Postman's API does not show this monitor's runs: the key cannot see it, or there is no such list"
                        );
                    } else {
                        tracing::debug!(
                            monitor = monitor.uid,
                            "Postman's API does not show this monitor's runs either"
                        );
                    }
                    None
                }
                Err(Refused::Failed(cause)) => {
                    tracing::debug!(
                        monitor = monitor.uid,
                        cause,
                        "Postman's API cannot be asked what failed"
                    );
                    None
                }
            }
        })
    }
}

async fn read_json(mut response: reqwest::Response) -> Result<Value, Refused> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| Refused::Failed(client::cause(error)))? {
        if body.len() + piece.len() > ANSWER_BYTES_MAX {
            return Err(Refused::Failed(format!("its answer is longer than {ANSWER_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&piece);
    }
    serde_json::from_slice(&body).map_err(|_| Refused::Failed("its answer is not JSON".to_owned()))
}

#[cfg(test)]
mod tests;
