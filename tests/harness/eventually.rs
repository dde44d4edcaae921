use std::{panic::Location, time::Duration};

use tokio::time::{self, Instant};

use super::PATIENCE;

/// How often a state is looked at. The only polling in the tests: what the API shows has no event to wait for.
const INTERVAL: Duration = Duration::from_millis(10);

/// Looks until `look` finds something, and gives that.
///
/// # Panics
/// When nothing was found for [`PATIENCE`]. `what` completes the sentence "waited in vain for …".
#[track_caller]
pub fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let caller = Location::caller();
    async move {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(Instant::now() < deadline, "{caller}: waited in vain for {what}");
            time::sleep(INTERVAL).await;
        }
    }
}
