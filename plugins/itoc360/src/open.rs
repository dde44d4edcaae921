//! The action `open-incidents`: what is open in ITOC360, as far as this destination knows.

use postroom_sdk::{Action, ActionCall, ActionError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    alertmanager::rfc3339,
    memory::{PREFIX, Told},
    plugin::Itoc360,
    severity::Severity,
};

/// Most that are listed.
const INCIDENTS_MAX: usize = 1000;

/// The action `open-incidents`.
pub(crate) struct OpenIncidents;

/// What it takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Input {}

/// What it gives.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Answer {
    /// The incidents, the oldest first.
    incidents: Vec<Open>,
    /// How many there are in all.
    total: usize,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(inline)]
pub(crate) struct Open {
    /// The fingerprint by which ITOC360 knows it: the monitor's id, with `:silent` behind it for a silence.
    uid: String,
    /// The monitor's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Since when.
    #[schemars(extend("format" = "date-time"))]
    since: String,
    /// How bad it was when ITOC360 was told last.
    severity: Severity,
    /// Whether ITOC360 has confirmed it. It has not when an answer never came; the next event of the monitor settles it.
    confirmed: bool,
}

impl Action<Itoc360> for OpenIncidents {
    const NAME: &str = "open-incidents";
    const TITLE: &str = "List open incidents";
    const DESCRIPTION: &str =
        "Lists the incidents that are open in ITOC360, as far as this destination has been answered";
    type Input = Input;
    type Output = Answer;

    async fn run(_: &Itoc360, _: Input, call: &ActionCall) -> Result<Answer, ActionError> {
        let state = call.host().state();
        let mut open = Vec::new();
        for key in state.keys(PREFIX).await? {
            let Some(entry) = state.get(&key).await? else { continue };
            let Ok(told) = serde_json::from_slice::<Told>(&entry.value) else {
                call.log().warn(format_args!("what is kept under {key} cannot be read"));
                continue;
            };
            if told.failing || told.in_doubt {
                open.push(told);
            }
        }
        let total = open.len();
        open.sort_by_key(|told| told.since_unix_ms);
        let incidents = open.into_iter().take(INCIDENTS_MAX).map(Open::from).collect();
        Ok(Answer { incidents, total })
    }
}

impl From<Told> for Open {
    fn from(told: Told) -> Self {
        Self {
            since: rfc3339(told.since_unix_ms),
            uid: told.fingerprint,
            name: told.name,
            severity: told.severity,
            confirmed: !told.in_doubt,
        }
    }
}
