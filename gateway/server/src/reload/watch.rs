//! Looks whether plugins' files have changed, and has their destinations go over to the new builds.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use postroom_core::id::DestinationName;
use tokio::time::sleep;

use super::{Reloader, Stamp, load};
use crate::api::{Audit, FILE_WATCH, of_watch};

/// Between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// A destination's plugin as it is watched.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) destination: DestinationName,
    pub(super) file: PathBuf,
    /// Of the file as it was when it was loaded.
    pub(super) loaded: Option<Stamp>,
}

/// Looks again and again, as long as the configuration wants it.
pub(crate) async fn watch(reloader: Arc<Reloader>, audit: Audit) {
    let mut looks = Looks::default();
    loop {
        sleep(LOOK_INTERVAL).await;
        let watched = reloader.watched().await;
        let found = load::aside(move || {
            Ok(watched.into_iter().map(|it| (Stamp::of(&it.file), it)).collect::<Vec<_>>())
        });
        let Ok(found) = found.await else { return };
        for (now, Watched { destination, loaded, .. }) in found {
            if looks.is_due(&destination, loaded, now) {
                // The reload itself tells how it went. A build that does not run is not tried again until the file changes.
                match reloader.reload_destination(destination.as_str(), FILE_WATCH).await {
                    Ok(None) => {}
                    Ok(Some(done)) => audit.keep(of_watch(&destination, Ok(&done))).await,
                    Err(refusal) => audit.keep(of_watch(&destination, Err(&refusal))).await,
                }
            }
        }
    }
}

impl Reloader {
    /// The plugins to look at: none when the configuration does not want it.
    async fn watched(&self) -> Vec<Watched> {
        let current = self.current.lock().await;
        let watched = current.resolved.iter().filter(|_| current.config.plugins.watch).map(|resolved| {
            let destination = resolved.destination.name.clone();
            let loaded = current.stamps.get(&destination).copied();
            Watched { destination, file: resolved.plugin.path.clone(), loaded }
        });
        watched.collect()
    }
}

/// What was seen of the files that are not the ones that were loaded.
#[derive(Debug, Default)]
struct Looks {
    seen: HashMap<DestinationName, Seen>,
}

#[derive(Debug)]
struct Seen {
    stamp: Stamp,
    /// The build has been tried.
    tried: bool,
}

impl Looks {
    /// Whether the destination should go over to what is there now: it is not what was loaded, it looked the same the last
    /// time, so that nobody is writing it any more, and it has not been tried.
    fn is_due(&mut self, destination: &DestinationName, loaded: Option<Stamp>, now: Option<Stamp>) -> bool {
        let Some(now) = now.filter(|now| Some(*now) != loaded) else {
            self.seen.remove(destination);
            return false;
        };
        match self.seen.get_mut(destination).filter(|seen| seen.stamp == now) {
            Some(seen) => !std::mem::replace(&mut seen.tried, true),
            None => {
                self.seen.insert(destination.clone(), Seen { stamp: now, tried: false });
                false
            }
        }
    }
}

#[cfg(test)]
mod tests;
