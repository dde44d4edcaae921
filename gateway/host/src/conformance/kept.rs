//! The rules that a host only notices: it refuses what breaks them, or does nothing about it.

use std::time::Duration;

use postroom_core::event::Kind;

use super::{Broken, Subject, rig::Rig};
use crate::delivery::PluginDelivery;

/// How often an event of a kind is delivered. Once may be slow because the machine is busy with something else.
const ROUNDS: u64 = 3;

/// Every delivery is ended once, whatever it is and also when nobody wants it any more. Whether it is ended at all is seen
/// by the other checks.
pub(super) async fn ended_once(subject: &Subject) -> Result<String, Broken> {
    let mut stale = 0;
    for sample in &subject.samples {
        let rig = Rig::start(subject).await?;
        drop(rig.deliver(&sample.delivery()).await);
        drop(rig.offer(&PluginDelivery { time_limit: Duration::from_millis(1), ..sample.delivery() }).await);
        stale += rig.faults().await.stale;
    }
    if stale == 0 {
        return Ok("none was ended twice".to_owned());
    }
    Err(Broken::new(format!(
        "{stale} times it ended a delivery that it did not hold: call complete once for each deliver that returned OK, \
         and never for another"
    )))
}

/// Without the flag for plugins that block, `deliver` comes back at once.
pub(super) async fn quick(subject: &Subject) -> Result<String, Broken> {
    for kind in Kind::ALL {
        let Some(sample) = subject.samples.iter().find(|sample| sample.event.kind == kind) else { continue };
        let rig = Rig::start(subject).await?;
        for _ in 0..ROUNDS {
            // As above.
            drop(rig.deliver(&sample.delivery()).await);
        }
        if rig.faults().await.slow >= ROUNDS {
            return Err(Broken::new(format!(
                "with {kind} it takes longer than 50 ms: end the delivery later, or say POSTROOM_PF_BLOCKING"
            )));
        }
    }
    Ok("within 50 ms".to_owned())
}
