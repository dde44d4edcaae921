//! Large bodies come in piece by piece and go out as files.

use std::{io::Read as _, os::unix::fs::FileExt as _};

use bytes::Bytes;

use crate::{
    Body, KeptBody, NewBody, NewEvent, Prune, Store,
    testing::{body, changed, event_id, new_event},
};

/// Longer than what is gathered in memory, and no multiple of any round number.
const BYTES: usize = 700_001;

fn bytes(seed: usize) -> Vec<u8> {
    (0..BYTES).map(|at| u8::try_from((at / 256 * 31 + at + seed) % 251).unwrap()).collect()
}

async fn kept(store: &dyn Store, body: &[u8], piece: usize) -> KeptBody {
    let mut writer = store.begin_body().await.unwrap();
    for piece in body.chunks(piece) {
        writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
    }
    writer.finish().await.unwrap()
}

fn event_with(n: u32, body: KeptBody) -> NewEvent {
    let bytes = body.bytes();
    let new = NewEvent { body: NewBody::Kept(body), ..new_event(n, "k", &["d"]) };
    changed(new, |event| event.body_bytes = bytes)
}

async fn prune_all(store: &dyn Store) -> u64 {
    let mut blobs = 0;
    loop {
        let pruned = store.prune(Prune { limit: 100, ..Prune::default() }).await.unwrap();
        blobs += pruned.blobs;
        if !pruned.more {
            return blobs;
        }
    }
}

pub(crate) async fn a_body_may_come_in_pieces_of_any_size(store: &dyn Store) {
    let sent = bytes(0);
    for (n, piece) in (1..).zip([1_000, 262_144, BYTES]) {
        store.accept(event_with(n, kept(store, &sent, piece).await)).await.unwrap();
        assert!(body(store, n).await == sent, "in pieces of {piece}");
    }
    store.accept(event_with(9, kept(store, b"", 1).await)).await.unwrap();
    assert!(body(store, 9).await.is_empty());
}

pub(crate) async fn a_kept_body_can_be_read_before_it_is_accepted(store: &dyn Store) {
    let sent = bytes(0);
    let kept = kept(store, &sent, 10_000).await;
    assert_eq!(kept.bytes(), BYTES as u64);
    let mut read = Vec::new();
    kept.open().unwrap().read_to_end(&mut read).unwrap();
    assert!(read == sent);
}

pub(crate) async fn a_large_body_comes_back_as_a_file(store: &dyn Store) {
    let sent = bytes(0);
    store.accept(event_with(1, kept(store, &sent, 100_000).await)).await.unwrap();
    let Some(Body::File(file)) = store.body(event_id(1)).await.unwrap() else { panic!("a file") };
    assert_eq!(file.bytes, BYTES as u64);
    let mut middle = [0; 100];
    file.file.read_exact_at(&mut middle, 300_000).unwrap();
    assert_eq!(middle, sent[300_000..300_100]);
}

pub(crate) async fn a_body_that_nobody_accepts_leaves_nothing(store: &dyn Store) {
    let mut given_up = store.begin_body().await.unwrap();
    given_up.write(Bytes::from(bytes(1))).await.unwrap();
    drop(given_up);
    let refused = kept(store, &bytes(2), 100_000).await;
    assert_eq!(prune_all(store).await, 0, "it may still be accepted");
    drop(refused);
    assert_eq!(prune_all(store).await, 1);
}

pub(crate) async fn a_body_that_comes_in_again_outlives_the_event_it_came_with_before(store: &dyn Store) {
    let sent = bytes(3);
    let first = event_with(1, kept(store, &sent, 100_000).await);
    store.accept(NewEvent { targets: Vec::new(), ..first }).await.unwrap();
    let again = kept(store, &sent, 50_000).await;
    let prune = Prune { oldest: 9, limit: 9, ..Prune::default() };
    assert_eq!(store.prune(prune).await.unwrap().events, 1);
    assert!(store.event(event_id(1)).await.unwrap().is_none());
    store.accept(event_with(2, again)).await.unwrap();
    assert_eq!(prune_all(store).await, 0);
    assert!(body(store, 2).await == sent);
}
