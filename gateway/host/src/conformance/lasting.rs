//! What shows only after a while, and the end.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, timeout_at},
};

use super::{Broken, Sample, Subject, descriptors::open_descriptors, rig::Rig};
use crate::process::Usage;

/// Deliveries before the first look: pools and caches fill up.
const WARM_UP: u32 = 500;
/// Deliveries between the two looks.
const MANY: u32 = 5000;
/// Where a remote side is slow, fewer have to do.
const MANY_MAX: Duration = Duration::from_secs(15);
const SIDE_BY_SIDE: usize = 16;

/// A leak of one kilobyte for each delivery is more than this.
const MEMORY_MORE_MAX_BYTES: u64 = 4 * 1024 * 1024;
/// One descriptor for a hundred deliveries is more than this; a pool may still open a few.
const DESCRIPTORS_MORE_MAX: u64 = 16;
/// As with descriptors.
const THREADS_MORE_MAX: u32 = 16;

const STOP_MAX: Duration = Duration::from_secs(5);
const IN_FLIGHT: usize = 20;

/// Whether memory, descriptors or threads grow with the number of deliveries.
pub(super) async fn growth(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let sample = subject.usual_sample()?;
    many(&rig, sample, WARM_UP).await?;
    let (before, open_before) = taken(&rig)?;
    let made = many(&rig, sample, MANY).await?;
    let (after, open_after) = taken(&rig)?;

    let memory = after.memory_bytes.saturating_sub(before.memory_bytes);
    let threads = after.threads.saturating_sub(before.threads);
    let descriptors = open_after.saturating_sub(open_before);
    let kib = memory / 1024;
    let told =
        format!("{kib} KiB, {descriptors} descriptors, {threads} threads more after {made} deliveries");
    let grows =
        memory > MEMORY_MORE_MAX_BYTES || descriptors > DESCRIPTORS_MORE_MAX || threads > THREADS_MORE_MAX;
    if grows { Err(Broken::new(told)) } else { Ok(told) }
}

/// What the process takes, and its open descriptors.
fn taken(rig: &Rig) -> Result<(Usage, u64), Broken> {
    let usage = Usage::of(rig.pid()).ok_or_else(|| Broken::new("its process has ended"))?;
    Ok((usage, open_descriptors(rig.pid())?))
}

/// Delivers `count` events, or as many as there is time for; gives how many.
async fn many(rig: &Rig, sample: &Sample, count: u32) -> Result<u32, Broken> {
    let until = Instant::now() + MANY_MAX;
    let left = Arc::new(AtomicU32::new(count));
    let mut workers = JoinSet::new();
    for _ in 0..SIDE_BY_SIDE {
        let (rig, sample, left) = (rig.clone(), sample.clone(), Arc::clone(&left));
        workers.spawn(async move {
            let take = |left: u32| left.checked_sub(1);
            while Instant::now() < until
                && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            {
                rig.deliver(&sample.delivery()).await?;
            }
            Ok::<_, Broken>(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(count - left.load(Ordering::Relaxed))
}

/// Whether it ends in good order when it has nothing to do.
pub(super) async fn stop(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    rig.deliver(&subject.usual_sample()?.delivery()).await?;
    let began = Instant::now();
    rig.stop(STOP_MAX).await?;
    Ok(format!("gone after {} ms", began.elapsed().as_millis()))
}

/// Whether it ends in good order in the middle of its work. What it has not ended comes back to the gateway.
pub(super) async fn stop_in_flight(subject: &Subject) -> Result<String, Broken> {
    let rig = Rig::start(subject).await?;
    let sample = subject.usual_sample()?;
    let mut deliveries = JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (rig, delivery) = (rig.clone(), sample.delivery());
        deliveries.spawn(async move { rig.offer(&delivery).await });
    }
    // Until one has ended, so that they have arrived; but not for long, since a slow plugin is what this is about.
    let a_moment = Instant::now() + Duration::from_millis(50);
    let first = timeout_at(a_moment, deliveries.join_next()).await;
    let ended = usize::from(first.is_ok());
    rig.stop(Duration::ZERO).await?;
    deliveries.join_all().await;
    Ok(format!("gone, with {} of {IN_FLIGHT} under way", IN_FLIGHT - ended))
}
