use postroom_core::{delivery::DeliveryState, limits::INLINE_BODY_BYTES_MAX};

use super::*;
use crate::{
    Prune, Store,
    sqlite::{SqliteStore, tests::Scratch},
    testing::{at, event_id, finished, new_event, with_body},
};

/// A store with a finished event that has a large body.
async fn with_large_body(scratch: &Scratch) -> SqliteStore {
    let store = scratch.store();
    let new = with_body(new_event(1, "k", &["d"]), vec![7; INLINE_BODY_BYTES_MAX + 1]);
    finished(&store, new, DeliveryState::Delivered, 2_000).await;
    store
}

#[tokio::test]
async fn a_body_that_is_removed_while_it_is_read_is_unknown_and_not_damaged() {
    let scratch = Scratch::new();
    let store = with_large_body(&scratch).await;
    let seen = look_up(&store.reader, event_id(1)).await.unwrap();
    let prune = Prune { events_before: Some(at(9_000)), limit: 9, ..Prune::default() };
    let mut blobs = 0;
    while blobs == 0 {
        blobs += store.prune(prune.clone()).await.unwrap().blobs;
    }
    let read = store.bodies.read_from(seen, &store.reader, event_id(1)).await;
    assert!(matches!(read, Ok(None)), "{read:?}");
}

#[tokio::test]
async fn a_body_whose_file_is_lost_is_damaged() {
    let scratch = Scratch::new();
    let store = with_large_body(&scratch).await;
    std::fs::remove_dir_all(store.bodies.blobs().folder()).unwrap();
    let read = store.body(event_id(1)).await;
    assert!(matches!(read, Err(StoreError::Corrupt { table: "event", row: 1, .. })), "{read:?}");
}
