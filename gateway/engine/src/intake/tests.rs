//! The way in, over a real store.

use bytes::Bytes;
use postroom_core::{
    event::{Facts, MadeKind},
    id::{DestinationName, RouteName, SourceName},
    limits,
    route::Conditions,
    secret::Secret,
    time::Timestamp,
};
use postroom_store::{Options, SqliteStore};

use super::*;
use crate::testing;

struct Door {
    intake: Intake,
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

impl Door {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ..) = SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
        let store = Arc::new(store);
        let sources =
            Sources::new(["acme", "other"].map(|name| {
                Source::new(SourceName::new(name), &[Secret::new("token")], limits::BODY_BYTES_MAX)
            }));
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let intake = Intake::new(sources, vec![everything()], shared, testing::clock(), Metrics::default());
        Self { intake, store, _folder: folder }
    }

    async fn send(&self, source: &str, body: impl Into<NewBody>, key: Option<&str>) -> Receipt {
        let admission = self.intake.admit(source, Some("token")).unwrap();
        let incoming = Incoming {
            body: body.into(),
            content_type: None,
            labels: BTreeMap::new(),
            note: Some("sent by a test".to_owned()),
            idempotency_key: key.map(str::to_owned),
        };
        self.intake.accept(admission, incoming).await.unwrap()
    }

    /// Sends a body piece by piece, as one that is too large for memory.
    async fn send_in_pieces(&self, body: &Bytes, key: Option<&str>) -> Receipt {
        let mut writer = self.intake.begin_body().await.unwrap();
        for start in (0..body.len()).step_by(10_000) {
            writer.write(body.slice(start..body.len().min(start + 10_000))).await.unwrap();
        }
        let kept = writer.finish().await.unwrap();
        self.send("acme", NewBody::Kept(kept), key).await
    }

    async fn event(&self, receipt: &Receipt) -> Event {
        self.store.event(receipt.event).await.unwrap().unwrap().event
    }
}

fn everything() -> Route {
    Route {
        name: RouteName::new("all"),
        conditions: Conditions::default(),
        to: vec![DestinationName::new("d")],
    }
}

/// A collection's backup of about so many bytes.
fn backup(bytes: usize) -> Bytes {
    let filler = "x".repeat(bytes);
    format!(r#"{{"collection":{{"info":{{"_postman_id":"c1","name":"Big"}},"filler":"{filler}"}}}}"#).into()
}

#[tokio::test]
async fn the_same_body_under_the_same_key_is_one_event() {
    let door = Door::open();
    let first = door.send("acme", "{}", Some("k")).await;
    let again = door.send("acme", "{}", Some("k")).await;
    assert!(!first.repeated);
    assert_eq!(again, Receipt { repeated: true, ..first.clone() });
}

#[tokio::test]
async fn without_a_key_equal_bodies_are_two_events() {
    let door = Door::open();
    let (first, second) = (door.send("acme", "{}", None).await, door.send("acme", "{}", None).await);
    assert_ne!(first.event, second.event);
    assert!(!second.repeated);
}

#[tokio::test]
async fn a_key_belongs_to_its_source() {
    let door = Door::open();
    let (first, other) =
        (door.send("acme", "{}", Some("k")).await, door.send("other", "{}", Some("k")).await);
    assert_ne!(first.event, other.event);
}

#[tokio::test]
async fn another_body_under_a_known_key_is_kept() {
    let door = Door::open();
    let (first, other) = (door.send("acme", "{}", Some("k")).await, door.send("acme", "[]", Some("k")).await);
    assert_ne!(first.event, other.event);
    assert!(!other.repeated);
    let note = door.event(&other).await.note.unwrap();
    assert!(note.contains("idempotency key was used before"), "{note}");
}

#[tokio::test]
async fn a_key_that_cannot_be_kept_does_not_cost_the_event() {
    let door = Door::open();
    for key in ["", &"k".repeat(limits::IDEMPOTENCY_KEY_BYTES_MAX + 1)] {
        let (first, second) =
            (door.send("acme", "{}", Some(key)).await, door.send("acme", "{}", Some(key)).await);
        assert_ne!(first.event, second.event, "without a mark each is an event");
        let note = door.event(&first).await.note.unwrap();
        assert!(note.contains("idempotency key left out") && note.contains("sent by a test"), "{note}");
    }
    let longest = "k".repeat(limits::IDEMPOTENCY_KEY_BYTES_MAX);
    door.send("acme", "{}", Some(&longest)).await;
    assert!(door.send("acme", "{}", Some(&longest)).await.repeated);
}

#[tokio::test]
async fn a_body_in_pieces_is_recognised_as_one_in_memory_is() {
    let door = Door::open();
    let body = backup(100_000);
    let whole = door.send("acme", body.clone(), None).await;
    let pieces = door.send_in_pieces(&body, None).await;
    let (whole, pieces) = (door.event(&whole).await, door.event(&pieces).await);
    assert_eq!(pieces, Event { id: pieces.id, received_at: pieces.received_at, ..whole });
    assert_eq!(pieces.kind, Kind::CollectionBackup);
}

#[tokio::test]
async fn a_body_in_pieces_and_one_in_memory_have_the_same_mark() {
    let door = Door::open();
    let body = backup(100_000);
    let first = door.send_in_pieces(&body, Some("k")).await;
    let again = door.send("acme", body, Some("k")).await;
    assert_eq!((again.event, again.repeated), (first.event, true));
}

#[tokio::test]
async fn other_sources_and_routes_hold_for_what_comes_next() {
    let door = Door::open();
    let inside = door.intake.admit("acme", Some("token")).unwrap();
    let rotated = Source::new(SourceName::new("acme"), &[Secret::new("new token")], limits::BODY_BYTES_MAX);
    door.intake.put(Sources::new([rotated]), Vec::new());
    assert!(door.intake.admit("acme", Some("token")).is_err());
    assert!(door.intake.admit("other", Some("token")).is_err());
    assert!(door.intake.admit("acme", Some("new token")).is_ok());

    // Who was let in stays in, and the routes of the moment at which the event is whole decide.
    let incoming = Incoming {
        body: NewBody::from("{}"),
        content_type: None,
        labels: BTreeMap::new(),
        note: None,
        idempotency_key: None,
    };
    assert_eq!(door.intake.accept(inside, incoming).await.unwrap().deliveries, 0);
}

#[tokio::test]
async fn what_is_made_in_the_same_millisecond_has_ids_in_order() {
    let door = Door::open();
    let made = |at| {
        let made = Made {
            kind: MadeKind::IncidentOpened,
            subject: "m".to_owned(),
            facts: Facts::default(),
            labels: BTreeMap::new(),
            verdict: None,
            body: Bytes::new(),
        };
        door.intake.make(made, Timestamp::from_unix_ms(at)).event.id
    };
    let ids: Vec<_> = (0..200).map(|_| made(1_700_000_000_123)).collect();
    assert!(ids.is_sorted_by(|first, second| first < second), "{ids:?}");
    assert!(ids.iter().all(|id| id.to_string()[..13] == *"018bcfe5-687b"), "{ids:?}");
    // A clock that was set back is followed.
    assert!(made(1_600_000_000_000) < ids[0]);
}
