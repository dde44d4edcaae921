//! Lists.

use postroom_core::{
    delivery::DeliveryState,
    event::Kind,
    id::{DeliveryId, EventId, SourceName},
};

use crate::{
    DeliveryFilter, EventFilter, PageRequest, Store,
    testing::{accept, at, change, changed, destination, event_id, finished, new_event, page},
};

#[track_caller]
fn check_events(expected: &[u32], found: crate::Page<crate::EventRecord>) {
    let ids: Vec<EventId> = found.items.iter().map(|record| record.event.id).collect();
    assert_eq!(ids, expected.iter().copied().map(event_id).collect::<Vec<_>>());
    assert!(found.next.is_none());
}

pub(crate) async fn events_are_listed_newest_first_by_every_filter(store: &dyn Store) {
    let events = [
        (1, Kind::MonitorRun, "acme", Some("m")),
        (2, Kind::Activity, "acme", Some("c")),
        (3, Kind::CollectionBackup, "other", Some("c")),
        (4, Kind::MonitorRun, "other", Some("n")),
        (5, Kind::Unrecognized, "acme", None),
        (6, Kind::MonitorRun, "acme", Some("m")),
    ];
    for (n, kind, source, subject) in events {
        let new = changed(new_event(n, "k", &["d"]), |event| {
            event.kind = kind;
            event.source = SourceName::new(source);
            event.subject = subject.map(str::to_owned);
        });
        accept(store, new).await;
    }
    let kinds = [None, Some(Kind::MonitorRun), Some(Kind::Activity), Some(Kind::Unrecognized)];
    for kind in kinds {
        for source in [None, Some("acme"), Some("other"), Some("nobody")] {
            for subject in [None, Some("m"), Some("c"), Some("nothing")] {
                let expected: Vec<u32> = events
                    .iter()
                    .rev()
                    .filter(|event| kind.is_none_or(|kind| event.1 == kind))
                    .filter(|event| source.is_none_or(|source| event.2 == source))
                    .filter(|event| subject.is_none() || event.3 == subject)
                    .map(|event| event.0)
                    .collect();
                let filter = EventFilter {
                    kind,
                    source: source.map(SourceName::new),
                    subject: subject.map(str::to_owned),
                    ..EventFilter::default()
                };
                check_events(&expected, store.events(filter, page(None, 99)).await.unwrap());
            }
        }
    }
}

/// Lists all that match, page by page in every size.
async fn check_deliveries(store: &dyn Store, filter: DeliveryFilter, expected: &[DeliveryId]) {
    for limit in [1, 2, 99] {
        let mut found = Vec::new();
        let mut request = page(None, limit);
        loop {
            let page = store.deliveries(filter.clone(), request).await.unwrap();
            assert!(page.items.len() <= limit);
            found.extend(page.items.into_iter().map(|record| record.id));
            request.before = page.next;
            if page.next.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "{filter:?} in pages of {limit}");
    }
}

pub(crate) async fn deliveries_are_listed_newest_first_by_every_filter(store: &dyn Store) {
    let mut all = Vec::new();
    for n in 1..=3 {
        for (id, name) in accept(store, new_event(n, "k", &["a", "b"])).await.into_iter().zip(["a", "b"]) {
            all.push((id, n, name, DeliveryState::Pending));
        }
    }
    let states =
        [DeliveryState::Delivered, DeliveryState::Dead, DeliveryState::Delivered, DeliveryState::Retrying];
    for (delivery, state) in all.iter_mut().zip(states) {
        delivery.3 = state;
        store.record(vec![change(delivery.0, state)]).await.unwrap();
    }
    for state in DeliveryState::ALL.map(Some).into_iter().chain([None]) {
        for name in [None, Some("a"), Some("b"), Some("nobody")] {
            for event in [None, Some(1), Some(3), Some(9)] {
                let expected: Vec<DeliveryId> = all
                    .iter()
                    .rev()
                    .filter(|delivery| event.is_none_or(|event| delivery.1 == event))
                    .filter(|delivery| name.is_none_or(|name| delivery.2 == name))
                    .filter(|delivery| state.is_none_or(|state| delivery.3 == state))
                    .map(|delivery| delivery.0)
                    .collect();
                let filter = DeliveryFilter {
                    state,
                    destination: name.map(destination),
                    event: event.map(event_id),
                    ..DeliveryFilter::default()
                };
                check_deliveries(store, filter, &expected).await;
            }
        }
    }
}

pub(crate) async fn pages_join_without_gap_or_overlap(store: &dyn Store) {
    let mut ids = Vec::new();
    for n in 1..=7 {
        ids.extend(accept(store, new_event(n, "k", &["a"])).await);
    }
    for limit in 1..=8 {
        let mut joined = Vec::new();
        let mut request = PageRequest { before: None, limit };
        loop {
            let found = store.deliveries(DeliveryFilter::default(), request).await.unwrap();
            assert!(found.items.len() <= limit);
            joined.extend(found.items.into_iter().map(|record| record.id));
            let Some(next) = found.next else { break };
            request.before = Some(next);
        }
        joined.reverse();
        assert_eq!(joined, ids, "pages of {limit}");
    }
    let first = store.events(EventFilter::default(), page(None, 3)).await.unwrap();
    let second = store.events(EventFilter::default(), page(first.next, 99)).await.unwrap();
    check_events(&[4, 3, 2, 1], second);
}

pub(crate) async fn deliveries_are_listed_by_what_their_event_is(store: &dyn Store) {
    let events = [
        (1, Kind::MonitorRun, "acme", "m"),
        (2, Kind::Activity, "acme", "c"),
        (3, Kind::MonitorRun, "other", "m"),
        (4, Kind::MonitorRun, "acme", "n"),
    ];
    let mut ids = Vec::new();
    for (n, kind, source, subject) in events {
        let new = changed(new_event(n, "k", &["d"]), |event| {
            event.kind = kind;
            event.source = SourceName::new(source);
            event.subject = Some(subject.to_owned());
        });
        ids.extend(accept(store, new).await);
    }
    store.record(vec![change(ids[0], DeliveryState::Dead)]).await.unwrap();
    let check = async |filter: DeliveryFilter, expected: &[usize]| {
        let expected: Vec<_> = expected.iter().map(|n| ids[n - 1]).collect();
        check_deliveries(store, filter, &expected).await;
    };
    let any = DeliveryFilter::default;
    let runs = || DeliveryFilter { kind: Some(Kind::MonitorRun), ..any() };
    let acme = || DeliveryFilter { source: Some(SourceName::new("acme")), ..any() };
    check(runs(), &[4, 3, 1]).await;
    check(acme(), &[4, 2, 1]).await;
    check(DeliveryFilter { subject: Some("m".to_owned()), ..any() }, &[3, 1]).await;
    check(DeliveryFilter { kind: Some(Kind::MonitorRun), ..acme() }, &[4, 1]).await;
    check(DeliveryFilter { state: Some(DeliveryState::Dead), ..runs() }, &[1]).await;
    check(DeliveryFilter { state: Some(DeliveryState::Pending), ..acme() }, &[4, 2]).await;
    check(DeliveryFilter { kind: Some(Kind::Unrecognized), ..any() }, &[]).await;
}

pub(crate) async fn deliveries_are_listed_by_time_also_when_the_clock_was_set_back(store: &dyn Store) {
    let times = [5_000, 6_000, 2_000, 3_000, 7_000];
    let mut ids = Vec::new();
    for (n, time) in (1..).zip(times) {
        let new = changed(new_event(n, "k", &["d"]), |event| event.received_at = at(time));
        ids.extend(accept(store, new).await);
    }
    for since in [None, Some(0), Some(3_000), Some(6_001), Some(9_000)] {
        for until in [None, Some(0), Some(3_000), Some(7_000), Some(9_000)] {
            let matches = |time: i64| since.is_none_or(|at| time >= at) && until.is_none_or(|at| time < at);
            let expected: Vec<_> =
                ids.iter().zip(times).rev().filter(|(_, time)| matches(*time)).map(|(id, _)| *id).collect();
            let filter =
                DeliveryFilter { since: since.map(at), until: until.map(at), ..DeliveryFilter::default() };
            check_deliveries(store, filter, &expected).await;
        }
    }
}

pub(crate) async fn deliveries_are_read_by_id_with_what_their_event_is(store: &dyn Store) {
    let backup = changed(new_event(2, "c", &["b"]), |event| {
        event.kind = Kind::CollectionBackup;
        event.source = SourceName::new("other");
        event.subject = None;
    });
    let first = accept(store, new_event(1, "k", &["a"])).await[0];
    let second = accept(store, backup).await[0];
    store.record(vec![change(first, DeliveryState::Dead)]).await.unwrap();
    let found = store.deliveries_by_id(vec![second, DeliveryId::new(99), first]).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|of| (of.delivery.id, of.delivery.state, of.kind, of.source.as_str(), of.subject.as_deref()))
        .collect();
    assert_eq!(
        found,
        [
            (second, DeliveryState::Pending, Kind::CollectionBackup, "other", None),
            (first, DeliveryState::Dead, Kind::MonitorRun, "acme", Some("k")),
        ]
    );
}

pub(crate) async fn what_waits_is_listed_in_one_order_for_all_destinations(store: &dyn Store) {
    let mut expected = Vec::new();
    for n in 1..=5 {
        finished(store, new_event(n * 2, "k", &["a", "c"]), DeliveryState::Delivered, 9_000).await;
        expected.extend(accept(store, new_event(n * 2 + 1, "k", &["c", "a", "b"])).await);
    }
    expected.reverse();
    let filter = DeliveryFilter { state: Some(DeliveryState::Pending), ..DeliveryFilter::default() };
    check_deliveries(store, filter, &expected).await;
}
