//! What plugins make, over a real store.

use postroom_core::{
    id::{RouteName, SourceName},
    limits,
    route::{Conditions, Route},
    secret::Secret,
};
use postroom_store::{EventRecord, Options, SqliteStore, Store};

use super::*;
use crate::{Metrics, Source, Sources, testing};

struct Door {
    intake: Intake,
    store: Arc<SqliteStore>,
    _folder: tempfile::TempDir,
}

impl Door {
    /// Sends pages to "pager" and "log", and everything else to "log".
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ..) = SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
        let store = Arc::new(store);
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let pages = Conditions { kinds: vec![Kind::Emitted(page())], ..Conditions::default() };
        let routes =
            vec![route("pages", pages, &["pager", "log"]), route("all", Conditions::default(), &["log"])];
        let tokens = [Secret::new("token")];
        let sources = Sources::new([Source::new(SourceName::new("acme"), &tokens, limits::BODY_BYTES_MAX)]);
        let intake = Intake::new(sources, routes, shared, testing::clock(), Metrics::default());
        Self { intake, store, _folder: folder }
    }

    async fn emit(&self, emitted: Emitted) -> (Receipt, EventRecord) {
        let receipt = self.intake.emit(emitted).await.unwrap();
        let record = self.store.event(receipt.event).await.unwrap().unwrap();
        (receipt, record)
    }
}

fn route(name: &str, conditions: Conditions, to: &[&str]) -> Route {
    let to = to.iter().map(|name| DestinationName::new(*name)).collect();
    Route { name: RouteName::new(name), conditions, to }
}

fn page() -> EmittedKind {
    "page_opened".parse().unwrap()
}

/// An event that the plugin of "watch" makes.
fn emitted() -> Emitted {
    Emitted {
        destination: DestinationName::new("watch"),
        kind: page(),
        subject: Some("night run".to_owned()),
        ordering_key: None,
        verdict: Some(Verdict::Failed),
        labels: [("team".to_owned(), "payments".to_owned())].into(),
        content_type: Some("application/json".to_owned()),
        body: Bytes::from_static(b"{\"n\":1}"),
        key: None,
        hops: 2,
    }
}

fn destinations(record: &EventRecord) -> Vec<&str> {
    record.deliveries.iter().map(|delivery| delivery.destination.as_str()).collect()
}

#[tokio::test]
async fn routes_match_what_a_plugin_makes() {
    let door = Door::open();
    let (receipt, record) = door.emit(emitted()).await;
    assert_eq!((receipt.kind, receipt.deliveries, receipt.repeated), (Kind::Emitted(page()), 2, false));
    assert_eq!(destinations(&record), ["pager", "log"]);
    let event = record.event;
    assert_eq!(
        (event.source.as_str(), &*event.ordering_key),
        ("destination:watch", "destination:watch:night run")
    );
    assert_eq!(emitting_destination(&event.source), Some("watch"));
    assert_eq!((event.kind, event.hops, event.verdict), (Kind::Emitted(page()), 2, Some(Verdict::Failed)));
    assert_eq!((event.labels["team"].as_str(), event.body_bytes), ("payments", 7));
    let body = door.store.body(event.id).await.unwrap().unwrap().read().await.unwrap();
    assert_eq!(&body[..], b"{\"n\":1}");
}

#[tokio::test]
async fn nothing_goes_back_to_the_plugin_that_made_it() {
    let door = Door::open();
    let (_, record) = door.emit(Emitted { destination: DestinationName::new("log"), ..emitted() }).await;
    assert_eq!(destinations(&record), ["pager"]);
    assert_eq!(record.event.note.as_deref(), Some("not sent to \"log\", whose plugin made it"));
}

#[tokio::test]
async fn the_same_key_and_body_make_one_event() {
    let door = Door::open();
    let keyed = |body: &'static [u8]| Emitted {
        key: Some("k".to_owned()),
        body: Bytes::from_static(body),
        ..emitted()
    };
    let (first, _) = door.emit(keyed(b"1")).await;
    let (again, _) = door.emit(keyed(b"1")).await;
    assert_eq!(again, Receipt { repeated: true, ..first.clone() });
    // Neither another body, nor another destination, nor none at all is a repeat.
    let (other, _) = door.emit(keyed(b"2")).await;
    let elsewhere = Emitted { destination: DestinationName::new("else"), ..keyed(b"1") };
    let (elsewhere, _) = door.emit(elsewhere).await;
    let (one, _) = door.emit(emitted()).await;
    let (two, _) = door.emit(emitted()).await;
    let events = [&first, &other, &elsewhere, &one, &two];
    assert!(events.iter().all(|receipt| !receipt.repeated || receipt.event == first.event));
    assert_eq!(
        events.iter().map(|receipt| receipt.event).collect::<std::collections::BTreeSet<_>>().len(),
        5
    );
}

#[tokio::test]
async fn the_lane_is_what_the_plugin_says_then_the_subject_then_the_destination() {
    let door = Door::open();
    let lane = async |emitted| door.emit(emitted).await.1.event.ordering_key.to_string();
    let chosen = Emitted { ordering_key: Some("monitor:1".to_owned()), ..emitted() };
    assert_eq!(lane(chosen).await, "monitor:1");
    assert_eq!(lane(Emitted { subject: None, ..emitted() }).await, "destination:watch");
}
