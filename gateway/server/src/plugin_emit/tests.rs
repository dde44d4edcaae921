use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
};

use bytes::Bytes;
use postroom_core::{
    event::{EmittedKind, Kind},
    id::{EventId, RouteName},
    route::{Conditions, Route},
};
use postroom_engine::{Metrics, Sources};
use postroom_host::Origin;
use postroom_store::{Options, SqliteStore, Store};

use super::*;

struct Rig {
    emit: RoutedEmit,
    rates: EmitRates,
    intake: Arc<Intake>,
    clock: Clock,
    store: Arc<SqliteStore>,
    now: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// Everything goes to "log".
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (store, ..) = SqliteStore::open(Options::new(folder.path().join("test.db"))).unwrap();
        let store = Arc::new(store);
        let now = Arc::new(AtomicI64::new(1_700_000_000_000));
        let told = Arc::clone(&now);
        let clock = Clock::new(move || Timestamp::from_unix_ms(told.load(Ordering::Relaxed)));
        let everything = Route {
            name: RouteName::new("all"),
            conditions: Conditions::default(),
            to: vec![DestinationName::new("log")],
        };
        let shared = Arc::clone(&store) as Arc<dyn Store>;
        let intake =
            Intake::new(Sources::new([]), vec![everything], shared, clock.clone(), Metrics::default());
        let (intake, rates) = (Arc::new(intake), EmitRates::default());
        let emit = Self::routed(&intake, &clock, &rates);
        Self { emit, rates, intake, clock, store, now, _folder: folder }
    }

    fn routed(intake: &Arc<Intake>, clock: &Clock, rates: &EmitRates) -> RoutedEmit {
        let watch = DestinationName::new("watch");
        let rate = rates.of(&watch);
        RoutedEmit::new(Arc::clone(intake), watch, clock.clone(), rate)
    }

    /// As after a reload.
    fn start_again(&mut self) {
        self.emit = Self::routed(&self.intake, &self.clock, &self.rates);
    }

    /// How many of these were made until one was refused for now.
    async fn until_refused(&self, emissions: impl IntoIterator<Item = Emission>) -> usize {
        let mut made = 0;
        for emission in emissions {
            match self.emit.emit(emission).await {
                EmitReply::Done { .. } => made += 1,
                EmitReply::Unavailable => return made,
                other => panic!("{other:?}"),
            }
        }
        panic!("none of {made} was refused");
    }

    async fn done(&self, emission: Emission) -> (EventId, bool) {
        match self.emit.emit(emission).await {
            EmitReply::Done { event, repeated } => (event, repeated),
            other => panic!("{other:?}"),
        }
    }
}

fn kind(name: &str) -> EmittedKind {
    name.parse().unwrap()
}

/// What a plugin makes of an event behind which `hops` plugins stand.
fn emission(hops: u8, nth: u32) -> Emission {
    Emission {
        kind: kind("page_opened"),
        subject: None,
        ordering_key: None,
        verdict: None,
        labels: BTreeMap::new(),
        content_type: None,
        body: Bytes::from_static(b"page"),
        key: None,
        origin: Some(Origin { event: EventId::from_bytes([7; 16]), hops, nth }),
    }
}

#[tokio::test]
async fn an_event_knows_how_many_plugins_stand_behind_it_and_the_chain_ends() {
    let rig = Rig::new();
    for hops in 0..limits::HOPS_MAX {
        let (event, _) = rig.done(Emission { body: vec![hops].into(), ..emission(hops, 0) }).await;
        let event = rig.store.event(event).await.unwrap().unwrap().event;
        assert_eq!((event.hops, event.kind), (hops + 1, Kind::Emitted(kind("page_opened"))));
    }
    for hops in [limits::HOPS_MAX, u8::MAX] {
        assert_eq!(rig.emit.emit(emission(hops, 0)).await, EmitReply::Denied);
    }
}

#[tokio::test]
async fn what_is_made_again_of_the_same_event_is_the_same() {
    let rig = Rig::new();
    let (first, repeated) = rig.done(emission(0, 0)).await;
    assert!(!repeated);
    assert_eq!(rig.done(emission(0, 0)).await, (first, true));
    // Another one of the same content, or of another event, is not.
    let origin = Origin { event: EventId::from_bytes([8; 16]), hops: 0, nth: 0 };
    for other in [
        emission(0, 1),
        Emission { origin: Some(origin), ..emission(0, 0) },
        Emission { kind: kind("page_closed"), ..emission(0, 0) },
        Emission { subject: Some("s".to_owned()), ..emission(0, 0) },
        Emission { labels: [("a".to_owned(), "b".to_owned())].into(), ..emission(0, 0) },
        Emission { body: Bytes::from_static(b"another"), ..emission(0, 0) },
    ] {
        assert!(!rig.done(other).await.1);
    }
}

#[tokio::test]
async fn a_key_of_the_plugins_own_counts_for_all_its_deliveries() {
    let rig = Rig::new();
    let keyed = |origin| Emission { key: Some("k".to_owned()), origin, ..emission(0, 0) };
    let (first, _) = rig.done(keyed(emission(0, 0).origin)).await;
    assert_eq!(rig.done(keyed(None)).await, (first, true));
    // What is opened under a key is also closed under it.
    let closed = Emission { kind: kind("page_closed"), ..keyed(None) };
    assert!(!rig.done(closed).await.1);
}

#[tokio::test]
async fn outside_of_deliveries_a_plugin_makes_only_so_many_a_second() {
    let rig = Rig::new();
    let loose = || Emission { origin: None, ..emission(0, 0) };
    for _ in 0..limits::EMITS_PER_SECOND {
        let (_, repeated) = rig.done(loose()).await;
        assert!(!repeated, "without a delivery and a key each is one of its own");
    }
    assert_eq!(rig.emit.emit(loose()).await, EmitReply::Unavailable);
    rig.done(emission(0, 0)).await;
    rig.now.fetch_add(1_000, Ordering::Relaxed);
    rig.done(loose()).await;
}

#[tokio::test]
async fn in_deliveries_too_a_plugin_makes_only_so_many_a_second() {
    let mut rig = Rig::new();
    assert_eq!(rig.until_refused((0..).map(|nth| emission(0, nth))).await, 200);
    rig.start_again();
    assert_eq!(rig.emit.emit(emission(0, 300)).await, EmitReply::Unavailable, "a reload gives no more");
    rig.now.fetch_add(1_000, Ordering::Relaxed);
    assert_eq!(rig.until_refused((300..).map(|nth| emission(0, nth))).await, 50);
    // Another destination has its own.
    assert!(rig.rates.of(&DestinationName::new("log")).take(&emission(0, 0), rig.clock.now()).is_ok());
}

#[tokio::test]
async fn bytes_count_and_those_of_a_repeat_do_not() {
    let rig = Rig::new();
    let large = |nth| Emission { body: vec![b'a'; limits::EMIT_BYTES_MAX].into(), ..emission(0, nth) };
    assert_eq!(rig.until_refused((0..).map(large)).await, 7, "8 MiB at once, with what else an event takes");
    rig.now.fetch_add(1_000, Ordering::Relaxed);
    for _ in 0..10 {
        assert!(rig.done(large(0)).await.1);
    }
    assert_eq!(rig.until_refused((100..).map(large)).await, 4);
}
