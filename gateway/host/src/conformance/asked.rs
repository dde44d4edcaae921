//! What a plugin says when it is asked about itself.

use std::time::Duration;

use postroom_abi::POSTROOM_ACTIONS_V1;

use super::{Broken, Subject, rig::Rig};
use crate::process::{Limits, Process};

/// The budget of `health`.
const HEALTH_MAX: Duration = Duration::from_secs(1);
/// How often is looked whether it is used up.
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// When it has either answered, or been ended, or has no `health`.
const CERTAIN: Duration = Duration::from_millis(1500);

/// Whether `health` answers in time, if there is one.
pub(super) async fn health(subject: &Subject) -> Result<String, Broken> {
    let limits = Limits { health: HEALTH_MAX, ping_interval: LOOK_AGAIN, ..Limits::default() };
    let rig = Rig::start_within(subject, limits).await?;
    if let Some(health) = rig.health(CERTAIN).await {
        return Ok(health.state.as_str().to_owned());
    }
    match rig.ended().await {
        Some(exit) => Err(Broken::new(format!("its process was asked for it, and has ended: {exit}"))),
        None => Ok("it has none".to_owned()),
    }
}

/// Whether `describe`, if there is one, says the same as the manifest in the file, and whether the library has actions just
/// when the manifest lists some.
pub(super) async fn describes(subject: &Subject) -> Result<String, Broken> {
    let launch = Rig::to_launch(subject, subject.instance.config.clone(), Limits::default());
    let checked = Process::check(&launch).await?;
    let listed = &subject.instance.plugin.manifest.actions;
    match (listed.first(), checked.actions) {
        (Some(action), false) => Err(Broken::new(format!(
            "the manifest lists the action {:?}, and get_extension gives nothing for {POSTROOM_ACTIONS_V1}: nobody can run it",
            action.name
        ))),
        (None, true) => Err(Broken::new(format!(
            "get_extension gives {POSTROOM_ACTIONS_V1}, and the manifest lists no \"actions\": nobody can run any"
        ))),
        (None, false) => Ok("id, version and ABI agree".to_owned()),
        (Some(_), true) => Ok("id, version, ABI and actions agree".to_owned()),
    }
}
