//! The action `test`: one request that the endpoint can tell from an event.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::plugin::Forward;

/// The action `test`.
pub(crate) struct Test;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {
    /// The body of the request, an object. `{"test": true}` unless given.
    #[serde(default)]
    #[schemars(extend("type" = "object"))]
    body: Option<Map<String, Value>>,
}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// The status that the endpoint answered with.
    status: u16,
    /// Whether an event would count as delivered by it.
    accepted: bool,
    /// The beginning of what it said.
    said: String,
}

impl Action<Forward> for Test {
    const NAME: &str = "test";
    const TITLE: &str = "Send a test request";
    const DESCRIPTION: &str =
        "Posts a request marked with `Postroom-Test: true` to the endpoint and tells how it answers";
    type Input = Input;
    type Output = Answer;

    async fn run(forward: &Forward, input: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let body = input.body.map_or_else(|| json!({ "test": true }), Value::Object);
        let response = forward.send_test(call.host(), &body).await?;
        let status = response.status();
        Ok(Answer { status, accepted: (200..300).contains(&status), said: response.excerpt() })
    }
}
