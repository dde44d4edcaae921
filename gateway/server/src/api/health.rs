//! Whether the store can be written, asked at most once a second.

use std::time::Duration;

use postroom_core::chain::Chain;
use postroom_store::Store;
use tokio::{sync::Mutex, time::Instant};

/// How long an answer counts.
const KEPT: Duration = Duration::from_secs(1);

/// What the store said last. Anyone may ask for readiness, and an answer costs a commit: without this, strangers could
/// keep the disk busy and take places from webhooks.
#[derive(Debug, Default)]
pub(crate) struct StoreHealth(Mutex<Option<(Instant, bool)>>);

impl StoreHealth {
    /// Whether a write goes through. Those who ask at once share one answer.
    pub(super) async fn is_well(&self, store: &dyn Store) -> bool {
        let mut last = self.0.lock().await;
        if let Some((at, well)) = *last
            && at.elapsed() < KEPT
        {
            return well;
        }
        let well = match store.check().await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(error = %Chain(&error), "the store is not ready");
                false
            }
        };
        *last = Some((Instant::now(), well));
        well
    }
}
