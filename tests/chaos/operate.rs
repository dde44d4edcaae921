//! What a person or a program of theirs does with the gateway of a world.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{self, Instant};

use super::{
    lanes,
    settle::{LOOK_EVERY, QUIET_MAX},
    world::{DESTINATION, World},
};
use crate::harness::Answer;

/// Slow enough that the load and the troubles of a round meet the replay.
const REPLAYED_PER_SECOND: u64 = 300;

impl World {
    /// Pauses the destination, or resumes it.
    pub(super) async fn steer(&self, what: &str) {
        self.ask(Method::POST, &format!("destinations/{DESTINATION}/{what}"), None).await;
    }

    /// Begins to replay what the destination has got of a lane. Nothing may wait, and the lane must be still: so it is
    /// known what comes again, and that everything newer is new.
    pub(super) async fn replay(&mut self, lane: u64) {
        let filter =
            json!({"destination": DESTINATION, "state": "delivered", "subject": lanes::monitor(lane)});
        let ask =
            |dry_run: bool| json!({"filter": filter, "dry_run": dry_run, "per_second": REPLAYED_PER_SECOND});
        let counted = self.ask(Method::POST, "replays", Some(&ask(true))).await["count"].clone();
        let expected = self.notes[0].taken_of(lane);
        if counted != expected {
            self.round.faults.push(format!("a dry run counts {counted} of lane {lane}, it got {expected}"));
        }
        let begun = self.ask(Method::POST, "replays", Some(&ask(false))).await;
        let id = begun["id"].as_str().expect("a replay has an id").to_owned();
        self.replays.push((id, lane));
    }

    /// Waits until the destination has nothing in flight.
    pub(super) async fn nothing_in_flight(&mut self) {
        let deadline = Instant::now() + QUIET_MAX;
        loop {
            let destination = self.get(&format!("destinations/{DESTINATION}")).await;
            if destination["in_flight"] == 0 {
                return;
            }
            if Instant::now() > deadline {
                self.round.faults.push(format!("still in flight: {destination}"));
                return;
            }
            time::sleep(LOOK_EVERY).await;
        }
    }

    pub(super) async fn get(&self, path: &str) -> Value {
        self.ask(Method::GET, path, None).await
    }

    /// A whole list, over all pages.
    pub(super) async fn list(&self, path: &str) -> Vec<Value> {
        let (mut items, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.get(&format!("{path}&limit=500{cursor}")).await;
            let Value::Array(more) = page["items"].take() else { panic!("{path} is not a list: {page}") };
            items.extend(more);
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return items,
            }
        }
    }

    /// Asks what must be answered with a 2xx, and gives the answer's JSON. An empty answer is null.
    async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let mut request = self
            .serving
            .client
            .request(method, &format!("/api/v1/{path}"))
            .bearer_auth(self.config.api_key())
            .timeout(Duration::from_secs(30));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = Answer::to(request).await;
        assert!(answer.status.is_success(), "{path}: {} {}", answer.status, answer.text());
        if answer.body.is_empty() { Value::Null } else { answer.json() }
    }
}
