//! Many deliveries at once, and deliveries that nobody wants any more.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{
    Broken, Subject,
    rig::{AT_ONCE, Rig},
};
use crate::delivery::PluginDelivery;

const CANCELLED: u32 = 20;

/// As many as a destination ever offers, all at the same time: every one comes back.
pub(super) async fn at_once(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let sample = subject.usual_sample()?;
    let mut deliveries = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (rig, delivery) = (rig.clone(), sample.delivery());
        deliveries.spawn(async move { rig.deliver(&delivery).await });
    }
    while let Some(ended) = deliveries.join_next().await {
        ended??;
    }
    Ok("all ended".to_owned())
}

/// Deliveries whose time is over at once, or after some of it: the plugin lets go of them and goes on.
pub(super) async fn cancelled(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let sample = subject.usual_sample()?;
    for number in 0..CANCELLED {
        let time_limit = Duration::from_micros(u64::from(number) * 100);
        // However it ends: whether the plugin was faster is a matter of luck.
        drop(rig.offer(&PluginDelivery { time_limit, ..sample.delivery() }).await);
    }
    rig.deliver(&sample.delivery()).await?;
    Ok(format!("it goes on after {CANCELLED} of them"))
}
