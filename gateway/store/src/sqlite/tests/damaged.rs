//! Rows and files that no version of the gateway writes: each is named, and hides no other.

use super::*;
use crate::Prune;

#[tokio::test]
async fn a_row_that_nobody_writes_is_named_and_hides_no_other() {
    let scratch = Scratch::new();
    {
        let store = scratch.store();
        accept(&store, new_event(1, "k", &["d"])).await;
        accept(&store, new_event(2, "k", &["d"])).await;
    }
    scratch.meddle(
        "UPDATE event SET kind = 'a riddle' WHERE seq = 2; UPDATE delivery SET attempts = -1 WHERE id = 1",
    );
    let store = scratch.store();
    let error = store.event(event_id(2)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "event", row: 2, .. }), "{error}");
    assert!(!error.to_string().contains("riddle"), "{error}");
    let error = store.delivery(DeliveryId::new(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "delivery", row: 1, .. }), "{error}");
    assert_eq!(waiting_for(&store, "d").await, [DeliveryId::new(2)], "the others are delivered");
    let events = store.events(Default::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(events.iter().map(|record| record.event.id).collect::<Vec<_>>(), [event_id(1)]);
    let deliveries = store.deliveries(Default::default(), page(None, 9)).await.unwrap().items;
    assert_eq!(deliveries.iter().map(|record| record.id.get()).collect::<Vec<_>>(), [2]);
    assert_eq!(body(&store, 1).await, "body 1");
    let loaded = store.load(vec![event_id(2), event_id(1)], usize::MAX).await.unwrap();
    assert_eq!(loaded.iter().map(|loaded| loaded.event.id).collect::<Vec<_>>(), [event_id(1)]);
}

#[tokio::test]
async fn a_mark_that_nobody_writes_costs_no_event() {
    let scratch = Scratch::new();
    drop(scratch.store().accept(marked(new_event(1, "k", &["d"]), "key", 7)).await.unwrap());
    scratch.meddle("UPDATE mark SET kind = 'a riddle'");
    let store = scratch.store();
    let taken = store.accept(marked(new_event(2, "k", &["d"]), "key", 7)).await.unwrap();
    assert!(!taken.repeated);
    let again = store.accept(marked(new_event(3, "k", &["d"]), "key", 7)).await.unwrap();
    assert_eq!((again.repeated, again.event), (true, event_id(2)), "it was written anew");
}

#[tokio::test]
async fn a_replay_whose_filter_is_not_known_makes_nothing() {
    let scratch = Scratch::new();
    let store = scratch.store();
    let ids = finished(&store, new_event(1, "k", &["d"]), DeliveryState::Dead, 2_000).await;
    let new = NewReplay {
        filter: DeliveryFilter { state: Some(DeliveryState::Dead), ..DeliveryFilter::default() },
        destinations: vec![destination("d")],
        per_second: 1,
        count: 1,
        final_by: at(3_000),
        by: "ann".to_owned(),
        at: at(3_000),
    };
    let [known, unknown] = [store.begin_replay(new.clone()).await, store.begin_replay(new).await];
    let (known, unknown) = (known.unwrap(), unknown.unwrap());
    scratch.meddle(r#"UPDATE replay SET filter = '{"mood":"blue"}' WHERE id = 2"#);
    let error = store.advance_replay(unknown.id, 9, at(4_000)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "replay", row: 2, .. }), "{error}");
    assert!(waiting(&store).await.is_empty());
    assert_eq!(store.running_replays().await.unwrap(), std::slice::from_ref(&known), "the others go on");
    assert_eq!(store.advance_replay(known.id, 9, at(4_000)).await.unwrap().unwrap().made, 1);
    assert_eq!(store.replays(page(None, 9)).await.unwrap().items.len(), 1);
    assert_eq!(waiting(&store).await.len(), ids.len());
}

#[tokio::test]
async fn a_large_body_that_was_changed_is_not_given_out() {
    let scratch = Scratch::new();
    let store = scratch.store();
    accept(&store, with_body(new_event(1, "k", &["d"]), vec![7; INLINE_BODY_BYTES_MAX + 1])).await;
    let folder = open::beside(&scratch.path(), ".blobs");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        files.extend(std::fs::read_dir(entry.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    std::fs::write(&files[0], vec![8; INLINE_BODY_BYTES_MAX + 1]).unwrap();
    let error = store.body(event_id(1)).await.unwrap_err();
    assert!(matches!(error, StoreError::Corrupt { table: "event", row: 1, .. }), "{error}");
}

#[tokio::test]
async fn a_file_that_no_event_names_is_found_after_a_restart_and_removed() {
    let scratch = Scratch::new();
    let large = vec![7; INLINE_BODY_BYTES_MAX + 1];
    accept(&scratch.store(), with_body(new_event(1, "k", &["d"]), large.clone())).await;
    let folder = open::beside(&scratch.path(), ".blobs").join("ff");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("ff".repeat(32)), "what a crash has left").unwrap();
    assert_eq!(scratch.blob_files(), 2);
    let store = scratch.store();
    let mut removed = 0;
    loop {
        let pruned = store.prune(Prune { limit: 9, ..Prune::default() }).await.unwrap();
        removed += pruned.blobs;
        if !pruned.more {
            break;
        }
    }
    assert_eq!((removed, scratch.blob_files()), (1, 1));
    assert_eq!(body(&store, 1).await, large);
}
