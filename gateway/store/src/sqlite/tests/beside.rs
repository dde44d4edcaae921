//! What goes on while the store tidies up.

use futures_util::future::join;

use super::Scratch;
use crate::{
    Prune, Store,
    testing::{accept, at, new_event},
};

/// Removing is done in chunks, each a transaction of its own, and whoever comes meanwhile waits for one of them at most.
#[tokio::test]
async fn intake_goes_on_while_old_events_are_removed() {
    const OLD: u32 = 400;
    const CHUNK: usize = 20;
    let scratch = Scratch::new();
    let store = scratch.store();
    for n in 0..OLD {
        accept(&store, new_event(n, "k", &[])).await;
    }
    let over = std::cell::Cell::new(false);
    let pruning = async {
        let old = Prune { events_before: Some(at(1_000 + i64::from(OLD))), limit: CHUNK, ..Prune::default() };
        let (mut removed, mut chunks) = (0, 0);
        loop {
            let pruned = store.prune(old.clone()).await.unwrap();
            (removed, chunks) = (removed + pruned.events, chunks + 1);
            if !pruned.more {
                break;
            }
        }
        over.set(true);
        (removed, chunks)
    };
    let intake = async {
        let mut accepted = 0;
        while !over.get() {
            accept(&store, new_event(10_000 + accepted, "k", &["d"])).await;
            accepted += 1;
        }
        accepted
    };
    let ((removed, chunks), accepted) = join(pruning, intake).await;
    assert_eq!(removed, u64::from(OLD));
    assert!(chunks >= OLD / u32::try_from(CHUNK).unwrap(), "{chunks} chunks");
    assert!(accepted >= chunks / 2, "{accepted} events came in beside {chunks} chunks");
}
