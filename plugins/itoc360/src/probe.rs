//! The action `test`: an alert that says it is none, and its end.

use postroom_sdk::{Action, ActionCall, ActionError, Bytes, http::Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    alertmanager::{Alert, Status},
    config::Mode,
    facts::{Counts, Facts, What},
    plugin::{self, Itoc360},
    reply::{self, Reply},
    severity::Severity,
};

/// Begins the fingerprints of tests, so that none is taken for a monitor.
const FINGERPRINT: &str = "postroom-test-";
const NAME: &str = "Postroom test, nothing is wrong";
const DESCRIPTION: &str =
    "Somebody tries whether alerts of Postroom arrive. It is resolved at once; nothing has to be done.";
/// How often the end is sent if it does not arrive: an alert that stays open is worse than no test.
const TRIES_TO_RESOLVE: usize = 3;

/// The action `test`.
pub(crate) struct Test;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// Whether ITOC360 took both, the alert and its end, for what they are.
    ok: bool,
    /// The fingerprint of the test's incident.
    fingerprint: String,
    /// What came back for the alert.
    opened: Told,
    /// What came back for its end; absent when the alert was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved: Option<Told>,
}

/// What came back for one request.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Told {
    /// The status that ITOC360 answered with; absent when no answer came.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Whether it took the event.
    accepted: bool,
    /// The event's id in ITOC360.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// What ITOC360 took it for: ALERT or RESOLVE.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    /// What is wrong, with the remedy if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

impl Action<Itoc360> for Test {
    const NAME: &str = "test";
    const TITLE: &str = "Send a test alert";
    const DESCRIPTION: &str =
        "Opens an incident in ITOC360 that says it is a test, resolves it, and tells what came back";
    type Input = Input;
    type Output = Answer;

    async fn run(itoc360: &Itoc360, _: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let now = call.host().now_unix_ms();
        let fingerprint = format!("{FINGERPRINT}{now}");
        let send = async |status| {
            let body = body(itoc360.mode(), &fingerprint, status, now)?;
            let answer = itoc360.post(call.host(), body).await;
            Ok::<_, ActionError>(answer.map_or_else(
                |failure| Told {
                    status: None,
                    accepted: false,
                    id: None,
                    kind: None,
                    problem: Some(failure.to_string()),
                },
                |response| told(&response, status),
            ))
        };
        let opened = send(Status::Firing).await?;
        // Without an answer it may have been opened all the same.
        let refused = opened.status.is_some() && !opened.accepted;
        let mut resolved = None;
        for _ in 0..TRIES_TO_RESOLVE {
            if refused || resolved.as_ref().is_some_and(|told: &Told| told.accepted) {
                break;
            }
            resolved = Some(send(Status::Resolved).await?);
        }
        let ok = [Some(&opened), resolved.as_ref()]
            .into_iter()
            .all(|told| told.is_some_and(|told| told.accepted && told.problem.is_none()));
        Ok(Answer { ok, fingerprint, opened, resolved })
    }
}

fn told(response: &Response, status: Status) -> Told {
    let (code, accepted) = (Some(response.status()), response.is_success());
    if !accepted {
        let problem = Some(reply::failure(response).to_string());
        return Told { status: code, accepted, id: None, kind: None, problem };
    }
    let reply = Reply::read(response.body());
    let text = |name| reply.as_ref().and_then(|reply| reply.text(name)).map(str::to_owned);
    let problem = match &reply {
        Some(reply) => reply.contradiction(Some(status)),
        None => Some("the answer is not ITOC360's: check that `base_url` leads there".to_owned()),
    };
    Told { status: code, accepted, id: text("id"), kind: text("type"), problem }
}

/// The body of a test, as the source in ITOC360 expects it.
fn body(mode: Mode, fingerprint: &str, status: Status, now: u64) -> Result<Bytes, ActionError> {
    let failed = u64::from(status == Status::Firing);
    if mode == Mode::Postman {
        let body = json!({
            "monitor_name": NAME,
            "monitor_uid": fingerprint,
            "collection_name": DESCRIPTION,
            "metrics": {
                "errors": 0,
                "failedTests": failed,
                "passedTests": 1 - failed,
                "requestCount": 1,
                "totalLatency": 1,
                "warnings": 0,
            },
        });
        return Ok(body.to_string().into());
    }
    let facts = Facts {
        what: What::Failing,
        status,
        severity: Severity::Info,
        id: fingerprint.to_owned(),
        source: "postroom".to_owned(),
        monitor: Some(NAME.to_owned()),
        monitor_id: None,
        collection: None,
        environment: None,
        counts: Counts::default(),
        runs: None,
        failed_runs: None,
        duration: None,
        failures: Vec::new(),
    };
    let alert = Alert {
        fingerprint,
        facts: &facts,
        summary: NAME.to_owned(),
        description: DESCRIPTION.to_owned(),
        starts_unix_ms: now,
        received_unix_ms: now,
        labels: vec![("test", "true")],
        fixed_labels: &std::collections::BTreeMap::new(),
    };
    Ok(plugin::json(&alert)?)
}
