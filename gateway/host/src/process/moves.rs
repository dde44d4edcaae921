//! Notices when the rules of a process's sandbox are about other files than those that stand at their paths by now.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    task::{JoinHandle, spawn_blocking},
    time::sleep,
};

use super::Limits;
use crate::sandbox::{Place, have_moved};

/// Looks at the places of one process as long as it lives.
#[derive(Debug)]
pub(super) struct MoveWatch {
    first: Duration,
    interval: Duration,
    moved: watch::Sender<bool>,
    looking: Option<JoinHandle<()>>,
}

impl MoveWatch {
    /// Gives the watch and what becomes true when a place has moved.
    pub(super) fn new(limits: &Limits) -> (Self, watch::Receiver<bool>) {
        let (moved, seen) = watch::channel(false);
        (Self { first: limits.first_move, interval: limits.ping_interval, moved, looking: None }, seen)
    }

    /// Looks at these from now on.
    pub(super) fn begin(&mut self, places: Vec<Place>) {
        if !places.is_empty() {
            let look = look(places.into(), self.first, self.interval, self.moved.clone());
            self.looking = Some(tokio::spawn(look));
        }
    }
}

impl Drop for MoveWatch {
    fn drop(&mut self) {
        if let Some(looking) = &self.looking {
            looking.abort();
        }
    }
}

async fn look(places: Arc<[Place]>, first: Duration, interval: Duration, moved: watch::Sender<bool>) {
    sleep(first).await;
    let mut before = false;
    loop {
        let places = Arc::clone(&places);
        // A file system may hang, and the thread is everybody's.
        let Ok(now) = spawn_blocking(move || have_moved(&places)).await else { return };
        // Twice, because what is put in the place of another may be absent for a moment, or on its way elsewhere.
        if now && before {
            moved.send_replace(true);
            return;
        }
        before = now;
        sleep(interval).await;
    }
}

/// Waits until a place has moved; for ever once the process has ended.
pub(super) async fn until_moved(mut moved: watch::Receiver<bool>) {
    if moved.wait_for(|moved| *moved).await.is_err() {
        pending().await
    }
}
