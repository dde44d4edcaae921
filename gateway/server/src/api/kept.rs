//! What the store needs long to find, kept for a moment.

use std::{sync::Arc, time::Duration};

use postroom_store::StoreError;
use tokio::{sync::Mutex, time::Instant};

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(2);

/// What the store said last, and when. Few may read of it at a time, and whoever asks often for what takes it long would
/// keep all others from it.
#[derive(Debug)]
pub(crate) struct Kept<T>(Arc<Mutex<Option<Found<T>>>>);

/// What was found, and when.
type Found<T> = (Instant, Arc<T>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<T: Send + Sync + 'static> Kept<T> {
    /// What `read` gives, or gave a moment ago. One reads at a time, to its end also when who asked goes away; the others
    /// wait for what it finds. An error is not kept.
    pub(super) async fn get(
        &self,
        read: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<Arc<T>, StoreError> {
        let mut last = Arc::clone(&self.0).lock_owned().await;
        if let Some((at, found)) = &*last
            && at.elapsed() < KEPT
        {
            return Ok(Arc::clone(found));
        }
        let reading = tokio::spawn(async move {
            let found = Arc::new(read.await?);
            *last = Some((Instant::now(), Arc::clone(&found)));
            Ok(found)
        });
        reading.await.unwrap_or(Err(StoreError::Stopped))
    }
}

#[cfg(test)]
mod tests;
