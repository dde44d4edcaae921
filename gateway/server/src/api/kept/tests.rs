use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::Semaphore;

use super::*;

/// Counts its reads; each ends when it is let, and is the number of those before it.
#[derive(Debug)]
struct Slow {
    reads: AtomicU32,
    let_go: Semaphore,
}

fn slow() -> Arc<Slow> {
    Arc::new(Slow { reads: AtomicU32::new(0), let_go: Semaphore::new(0) })
}

async fn read(slow: Arc<Slow>) -> Result<u32, StoreError> {
    let number = slow.reads.fetch_add(1, Ordering::Relaxed);
    slow.let_go.acquire().await.map_err(|_| StoreError::Stopped)?.forget();
    Ok(number)
}

#[tokio::test(start_paused = true)]
async fn those_who_ask_at_once_or_soon_share_an_answer() {
    let (kept, slow) = (Kept::default(), slow());
    let ask = || kept.get(read(Arc::clone(&slow)));
    slow.let_go.add_permits(2);
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!((*first.unwrap(), *second.unwrap()), (0, 0));
    tokio::time::advance(KEPT - Duration::from_millis(1)).await;
    assert_eq!(*ask().await.unwrap(), 0);
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(*ask().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_goes_away_leaves_the_answer_to_the_next() {
    let (kept, slow) = (Kept::default(), slow());
    let ask = || kept.get(read(Arc::clone(&slow)));
    assert!(tokio::time::timeout(Duration::from_millis(1), ask()).await.is_err());
    slow.let_go.add_permits(1);
    assert_eq!(*ask().await.unwrap(), 0);
    assert_eq!(slow.reads.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn an_error_is_not_kept() {
    let kept = Kept::default();
    let failed = kept.get(async { Err(StoreError::Stopped) }).await;
    assert!(matches!(failed, Err(StoreError::Stopped)));
    assert_eq!(*kept.get(async { Ok(5) }).await.unwrap(), 5);
}
