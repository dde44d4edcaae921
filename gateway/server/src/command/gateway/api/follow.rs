//! Following what happens at a gateway, over all the times that the connection breaks.

use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::{Api, Question, refused, rest};
use crate::command::{Exit, Failure};

mod frames;

use frames::{Frame, Frames, TooLong};

/// A stream that says nothing for so long is broken: the gateway shows that it lives more often.
const SILENT_MAX: Duration = Duration::from_secs(60);
/// The first wait before the next try, unless the gateway says another, and the longest.
const WAIT: Duration = Duration::from_secs(2);
const WAIT_MAX: Duration = Duration::from_secs(30);
/// No stream is as long.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What comes of following.
#[derive(Debug)]
pub(crate) enum Followed {
    /// A message.
    Message { topic: String, id: Option<String>, data: Value },
    /// The connection broke; it is tried again.
    Broken,
}

/// What the gateway has told, for the next try.
struct Told {
    last_id: Option<String>,
    wait: Duration,
}

impl Api {
    /// Passes on what the gateway tells until somebody interrupts it. Where the connection breaks it goes on behind what was
    /// told last.
    ///
    /// # Errors
    /// [`Exit::Interrupted`] in the end; before, when the gateway refuses, was never reached, or `take` fails.
    pub(crate) fn follow(
        &self,
        query: &[(&str, String)],
        mut take: impl FnMut(Followed) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let following = async {
            let mut told = Told { last_id: None, wait: WAIT };
            let mut response = self.open(query, None).await?;
            loop {
                self.read(response, &mut told, &mut take).await?;
                take(Followed::Broken)?;
                let mut wait = told.wait;
                response = loop {
                    sleep(wait).await;
                    wait = (wait * 2).min(WAIT_MAX);
                    match self.open(query, told.last_id.as_deref()).await {
                        Ok(response) => break response,
                        Err(failure) if failure.exit() == Exit::Unreachable => {}
                        Err(failure) => return Err(failure),
                    }
                };
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                ended = following => ended,
                interrupted = tokio::signal::ctrl_c() => Err(match interrupted {
                    Ok(()) => Failure::told(Exit::Interrupted),
                    Err(error) => Failure::new(Exit::Failed, format!("cannot wait for an interrupt: {error}")),
                }),
            }
        })
    }

    async fn open(&self, query: &[(&str, String)], last_id: Option<&str>) -> Result<Response, Failure> {
        let question = Question { path: &["stream"], query: query.to_vec(), ..Question::default() };
        let request = self.request(Method::GET, question).timeout(FOR_EVER);
        let request = last_id.into_iter().fold(request, |request, id| request.header("last-event-id", id));
        let mut response = request.send().await.map_err(|error| self.unanswered(error))?;
        match response.status() {
            status if status.is_success() => Ok(response),
            StatusCode::SERVICE_UNAVAILABLE if last_id.is_some() => {
                Err(Failure::new(Exit::Unreachable, "the gateway cannot tell more readers now"))
            }
            status => {
                let answer = rest(&mut response).await.map_err(|error| self.unanswered(error))?;
                Err(refused(status, &serde_json::from_slice(&answer).unwrap_or_default(), &["stream"]))
            }
        }
    }

    /// Reads until the connection breaks.
    async fn read(
        &self,
        mut response: Response,
        told: &mut Told,
        take: &mut impl FnMut(Followed) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut frames = Frames::default();
        while let Ok(Ok(Some(piece))) = timeout(SILENT_MAX, response.chunk()).await {
            frames.add(&piece).map_err(|TooLong| {
                Failure::new(Exit::Failed, "this is no stream of a gateway's: a message has no end")
            })?;
            while let Some(Frame { id, topic, data, retry_ms }) = frames.next() {
                if let Some(topic) = topic {
                    let data = serde_json::from_str(&data).unwrap_or(Value::Null);
                    take(Followed::Message { topic, id: id.clone(), data })?;
                }
                told.last_id = id.or(told.last_id.take());
                told.wait = retry_ms.map_or(told.wait, Duration::from_millis).min(WAIT_MAX);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
