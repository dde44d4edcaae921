//! The demo as a user of its own gateway: sends over HTTP, and reads the API until everything has come to an end.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tokio::time::{Instant, interval};

use super::PATIENCE;
use crate::{
    command::{Exit, Failure},
    commands::send::client,
};

/// How often the API is asked while something is on its way.
const ASK_AGAIN: Duration = Duration::from_millis(20);
const ANSWER_CHARS_MAX: usize = 60;

/// The demo gateway's API.
pub(super) struct Api {
    client: Client,
    url: String,
    key: String,
}

/// What the gateway said of a webhook.
pub(super) struct Event {
    pub(super) kind: String,
    id: String,
}

/// What became of an event.
pub(super) struct Followed {
    pub(super) lines: Vec<Line>,
    /// Whether every delivery arrived.
    pub(super) arrived: bool,
}

/// What became of one delivery.
pub(super) struct Line {
    pub(super) destination: String,
    pub(super) state: String,
    pub(super) answer: String,
}

impl Api {
    pub(super) fn new(url: &str, key: &str) -> Result<Self, Failure> {
        let client = client::client(url).map_err(failed)?;
        Ok(Self { client, url: url.to_owned(), key: key.to_owned() })
    }

    /// Waits until the gateway takes events.
    pub(super) async fn ready(&self) -> Result<(), Failure> {
        self.until("the gateway did not become ready", async || {
            let answer = self.client.get(format!("{}/health/ready", self.url)).send().await;
            Ok(answer.is_ok_and(|answer| answer.status().is_success()).then_some(()))
        })
        .await
    }

    /// Sends a body as Postman would.
    pub(super) async fn post(&self, token: &str, body: Vec<u8>) -> Result<Event, Failure> {
        let url = format!("{}/hooks/postman?token={token}", self.url);
        let request = self.client.post(url).header("content-type", "application/json").body(body);
        let answer = json(request).await?;
        match (answer["event_id"].as_str(), answer["kind"].as_str()) {
            (Some(id), Some(kind)) => Ok(Event { kind: kind.to_owned(), id: id.to_owned() }),
            _ => Err(Failure::new(Exit::Failed, format!("the gateway did not take a webhook: {answer}"))),
        }
    }

    /// Waits until every delivery of `event` is final or waits for another attempt.
    pub(super) async fn follow(&self, event: &Event) -> Result<Followed, Failure> {
        let path = format!("/api/v1/events/{}", event.id);
        let deliveries = self
            .until("a delivery did not come to an end", async || {
                let event = self.get(&path).await?;
                let deliveries = event["deliveries"].as_array().cloned().unwrap_or_default();
                Ok(deliveries.iter().all(|delivery| delivery["state"] != "pending").then_some(deliveries))
            })
            .await?;
        let mut followed = Followed { lines: Vec::new(), arrived: true };
        for delivery in &deliveries {
            let path = format!("/api/v1/deliveries/{}", text(&delivery["id"]));
            let delivery = self.get(&path).await?;
            followed.arrived &= delivery["state"] == "delivered";
            followed.lines.push(Line {
                destination: text(&delivery["destination"]),
                state: text(&delivery["state"]),
                answer: answer(&delivery),
            });
        }
        if deliveries.is_empty() {
            followed.lines.push(Line {
                destination: "-".to_owned(),
                state: "kept".to_owned(),
                answer: "no route takes it".to_owned(),
            });
        }
        Ok(followed)
    }

    async fn get(&self, path: &str) -> Result<Value, Failure> {
        let request = self.client.request(Method::GET, format!("{}{path}", self.url));
        json(request.bearer_auth(&self.key)).await
    }

    async fn until<T>(
        &self,
        otherwise: &str,
        mut ask: impl AsyncFnMut() -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + PATIENCE;
        let mut asking = interval(ASK_AGAIN);
        while Instant::now() < end {
            asking.tick().await;
            if let Some(found) = ask().await? {
                return Ok(found);
            }
        }
        Err(Failure::new(Exit::Failed, format!("{otherwise} within {} s", PATIENCE.as_secs())))
    }
}

async fn json(request: RequestBuilder) -> Result<Value, Failure> {
    let body = request.send().await.map_err(failed)?.bytes().await.map_err(failed)?;
    serde_json::from_slice(&body)
        .map_err(|error| Failure::new(Exit::Failed, format!("the gateway's answer is not JSON: {error}")))
}

fn failed(error: reqwest::Error) -> Failure {
    Failure::new(Exit::Failed, format!("the demo cannot reach its own gateway: {}", error.without_url()))
}

/// What the remote side gave back at the last attempt, in a few words.
fn answer(delivery: &Value) -> String {
    let last = delivery["attempts"].as_array().and_then(|attempts| attempts.last()).unwrap_or(&Value::Null);
    let record = &last["record"];
    let (incident, file) = (&record["itoc360"], &record["file"]);
    let answer = if incident["type"].is_string() {
        let what = if incident["type"] == "ALERT" { "opens or updates" } else { "resolves" };
        format!("{}: {what} the incident", text(&incident["type"]))
    } else if file.is_string() && record["unchanged"] == true {
        "unchanged, no second version".to_owned()
    } else if file.is_string() && record["changes"].is_string() {
        format!("a new version: {}", text(&record["changes"]))
    } else if file.is_string() {
        format!("kept; to read: {}", text(&record["copy"]))
    } else if record["status"].is_number() {
        format!("HTTP {}", record["status"])
    } else {
        text(&last["message"])
    };
    answer.chars().take(ANSWER_CHARS_MAX).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
