//! What a plugin says when it is asked about itself.

use std::time::Duration;

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

/// Whether `describe`, if there is one, says the same as the manifest in the file.
pub(super) async fn describes(subject: &Subject) -> Result<String, Broken> {
    let launch = Rig::to_launch(subject, subject.instance.config.clone(), Limits::default());
    Process::check(&launch).await?;
    Ok("id, version and ABI agree".to_owned())
}
