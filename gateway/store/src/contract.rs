//! What every store promises, whatever stands behind it. Each promise takes an empty store.

use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Facts, Kind, Verdict},
    id::{DeliveryId, EventId, SourceName},
    limits::INLINE_BODY_BYTES_MAX,
    outcome::OutcomeKind,
    time::Timestamp,
};

use crate::{
    ATTEMPTS_KEPT_MAX, DeliveryChange, DeliveryFilter, EventFilter, LastOutcome, PageRequest, Store,
    StoreError, WaitingCount,
    testing::{
        accept, at, attempt, change, changed, destination, event_id, explanation, lane, new_event, page,
        waiting, with_body,
    },
};

/// Makes one test of each promise, on a store that `$open` gives.
macro_rules! contract_tests {
    ($open:expr) => {
        crate::contract::contract_tests!($open =>
            an_event_reads_back_as_it_was_accepted,
            an_event_that_says_little_reads_back_too,
            bodies_come_back_byte_for_byte,
            equal_bodies_are_two_events,
            what_is_not_there_is_none,
            an_event_without_targets_is_kept,
            an_event_id_is_accepted_once,
            deliveries_wait_in_the_order_of_acceptance,
            a_lane_shows_its_own_deliveries_only,
            waiting_is_counted_by_destination,
            a_final_delivery_waits_no_more,
            a_retrying_delivery_keeps_its_place,
            a_change_without_a_count_leaves_it_as_it_is,
            attempts_are_kept_oldest_first_whether_they_count_or_not,
            of_very_many_attempts_the_newest_are_kept,
            changes_are_kept_all_or_none,
            events_are_listed_newest_first_by_every_filter,
            deliveries_are_listed_newest_first_by_every_filter,
            pages_join_without_gap_or_overlap,
            a_healthy_store_says_so,
        );
    };
    ($open:expr => $($promise:ident,)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                let (store, _guard) = $open;
                crate::contract::$promise(&store).await;
            }
        )+
    };
}
pub(crate) use contract_tests;

async fn check_reads_back(store: &dyn Store, event: &Event) {
    let record = store.event(event.id).await.unwrap().unwrap();
    assert_eq!(record.event, *event);
    let listed = store.events(EventFilter::default(), page(None, 1)).await.unwrap();
    assert_eq!(listed.items[0].event, *event);
}

pub(crate) async fn an_event_reads_back_as_it_was_accepted(store: &dyn Store) {
    let text = |text: &str| Some(text.to_owned());
    let new = changed(new_event(1, "monitor:m", &["a", "b"]), |event| {
        event.facts = Facts {
            monitor_name: text(" blanks kept "),
            monitor_id: text("m"),
            collection_name: text("c name"),
            collection_id: text("c"),
            environment_name: text("e name"),
            environment_id: text("e"),
            action: text("update"),
            model: text("request"),
        };
        event.note = text("a note with \0 and \u{1F4EE}");
    });
    let ids = accept(store, new.clone()).await;
    check_reads_back(store, &new.event).await;
    let record = store.event(event_id(1)).await.unwrap().unwrap();
    assert_eq!(record.explanations, [explanation()]);
    let [a, b] = &record.deliveries[..] else { panic!("two deliveries: {record:?}") };
    assert_eq!([a.id, b.id], ids[..]);
    assert_eq!([&a.destination, &b.destination], [&destination("a"), &destination("b")]);
    assert_eq!((a.event, a.route.as_str(), &*a.lane), (event_id(1), "all", "monitor:m"));
    assert_eq!((a.state, a.attempts, a.created_at), (DeliveryState::Pending, 0, new.event.received_at));
    assert_eq!((a.due, a.finished_at, &a.last_outcome), (None, None, &None));
}

pub(crate) async fn an_event_that_says_little_reads_back_too(store: &dyn Store) {
    let new = changed(new_event(1, "source:acme", &[]), |event| {
        event.kind = Kind::Unrecognized;
        event.subject = None;
        event.verdict = None;
        event.facts = Facts::default();
        event.labels.clear();
        event.content_type = None;
    });
    accept(store, new.clone()).await;
    check_reads_back(store, &new.event).await;
    for (n, verdict) in (2..).zip(Verdict::ALL) {
        let new = changed(new_event(n, "k", &[]), |event| event.verdict = Some(verdict));
        accept(store, new.clone()).await;
        check_reads_back(store, &new.event).await;
    }
}

pub(crate) async fn bodies_come_back_byte_for_byte(store: &dyn Store) {
    let lengths =
        [0, 1, 1024, INLINE_BODY_BYTES_MAX, INLINE_BODY_BYTES_MAX + 1, 33 * 1024, 3 * 1024 * 1024 + 1];
    for (n, length) in (1..).zip(lengths) {
        let body: Vec<u8> = (0..=250).cycle().take(length).collect();
        accept(store, with_body(new_event(n, "k", &["d"]), body.clone())).await;
        assert_eq!(store.body(event_id(n)).await.unwrap().unwrap(), body, "{length} bytes");
    }
}

pub(crate) async fn equal_bodies_are_two_events(store: &dyn Store) {
    let body = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    for n in 1..=2 {
        accept(store, with_body(new_event(n, "k", &["d"]), body.clone())).await;
    }
    assert_eq!(waiting(store).await.len(), 2);
    for n in 1..=2 {
        assert_eq!(store.body(event_id(n)).await.unwrap().unwrap(), body);
    }
}

pub(crate) async fn what_is_not_there_is_none(store: &dyn Store) {
    assert!(store.event(event_id(1)).await.unwrap().is_none());
    assert!(store.body(event_id(1)).await.unwrap().is_none());
    assert!(store.delivery(DeliveryId::new(1)).await.unwrap().is_none());
    assert!(waiting(store).await.is_empty());
    assert!(store.waiting_counts().await.unwrap().is_empty());
    assert!(store.events(EventFilter::default(), page(None, 9)).await.unwrap().items.is_empty());
}

pub(crate) async fn an_event_without_targets_is_kept(store: &dyn Store) {
    assert!(accept(store, new_event(1, "k", &[])).await.is_empty());
    let record = store.event(event_id(1)).await.unwrap().unwrap();
    assert!(record.deliveries.is_empty());
    assert_eq!(record.explanations, [explanation()]);
}

pub(crate) async fn an_event_id_is_accepted_once(store: &dyn Store) {
    accept(store, new_event(1, "k", &["d"])).await;
    let (again, other) = tokio::join!(
        store.accept(with_body(new_event(1, "k", &["d"]), "another body")),
        store.accept(new_event(2, "k", &["d"])),
    );
    assert!(matches!(again, Err(StoreError::Duplicate { event }) if event == event_id(1)), "{again:?}");
    other.unwrap();
    assert_eq!(store.body(event_id(1)).await.unwrap().unwrap(), "body 1");
    assert_eq!(waiting(store).await.len(), 2);
}

pub(crate) async fn deliveries_wait_in_the_order_of_acceptance(store: &dyn Store) {
    let mut ids = Vec::new();
    // Event ids that fall show that it is not they that make the order.
    for n in [5, 3, 4, 1] {
        ids.extend(accept(store, new_event(n, "k", &["b", "a"])).await);
    }
    assert!(ids.is_sorted());
    assert_eq!(waiting(store).await, ids);
    let some = store.waiting(Some(ids[1]), 3).await.unwrap();
    assert_eq!(some.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), ids[2..5]);
    assert_eq!(some.iter().map(|ticket| ticket.event).collect::<Vec<_>>(), [3, 3, 4].map(event_id));
    assert_eq!(some[0].lane, lane("b", "k"));
    assert_eq!((some[0].attempts, some[0].due), (0, Timestamp::EPOCH));
}

pub(crate) async fn a_lane_shows_its_own_deliveries_only(store: &dyn Store) {
    let mut mine = Vec::new();
    for (n, key) in [(1, "k"), (2, "other"), (3, "k"), (4, "k")] {
        let ids = accept(store, new_event(n, key, &["d", "e"])).await;
        if key == "k" {
            mine.push(ids[0]);
        }
    }
    let ids = |tickets: Vec<postroom_core::lane::Ticket>| -> Vec<DeliveryId> {
        tickets.into_iter().map(|ticket| ticket.id).collect()
    };
    assert_eq!(ids(store.waiting_in_lane(lane("d", "k"), None, 9).await.unwrap()), mine);
    assert_eq!(ids(store.waiting_in_lane(lane("d", "k"), Some(mine[0]), 1).await.unwrap()), mine[1..2]);
    assert!(store.waiting_in_lane(lane("d", "nobody"), None, 9).await.unwrap().is_empty());
}

pub(crate) async fn waiting_is_counted_by_destination(store: &dyn Store) {
    accept(store, new_event(1, "k", &["b", "a"])).await;
    let ids = accept(store, new_event(2, "j", &["b", "c"])).await;
    store.record(vec![change(ids[1], DeliveryState::Dead)]).await.unwrap();
    let count = |name, waiting| WaitingCount { destination: destination(name), waiting };
    assert_eq!(store.waiting_counts().await.unwrap(), [count("a", 1), count("b", 2)]);
}

pub(crate) async fn a_final_delivery_waits_no_more(store: &dyn Store) {
    for (n, state) in (1..).zip(DeliveryState::ALL) {
        let id = accept(store, new_event(n, "k", &["d"])).await[0];
        store.record(vec![change(id, state)]).await.unwrap();
        let record = store.delivery(id).await.unwrap().unwrap().delivery;
        assert_eq!(record.state, state);
        assert_eq!(record.finished_at, state.is_final().then_some(at(9_000)), "{state}");
        assert_eq!(waiting(store).await.contains(&id), !state.is_final(), "{state}");
        let lane = store.waiting_in_lane(lane("d", "k"), None, 99).await.unwrap();
        assert_eq!(lane.iter().any(|ticket| ticket.id == id), !state.is_final(), "{state}");
    }
}

pub(crate) async fn a_retrying_delivery_keeps_its_place(store: &dyn Store) {
    let mut ids = Vec::new();
    for n in 1..=4 {
        ids.extend(accept(store, new_event(n, "k", &["d"])).await);
    }
    let retrying = |id| DeliveryChange {
        attempts: Some(2),
        due: Some(at(50_000)),
        attempt: Some(attempt(1, OutcomeKind::Retry)),
        ..change(id, DeliveryState::Retrying)
    };
    store.record(vec![retrying(ids[0]), retrying(ids[2])]).await.unwrap();
    assert_eq!(waiting(store).await, ids);
    let ticket = &store.waiting_in_lane(lane("d", "k"), None, 1).await.unwrap()[0];
    assert_eq!((ticket.id, ticket.attempts, ticket.due), (ids[0], 2, at(50_000)));
    assert_eq!(store.waiting(None, 1).await.unwrap()[0], *ticket);
}

pub(crate) async fn a_change_without_a_count_leaves_it_as_it_is(store: &dyn Store) {
    let id = accept(store, new_event(1, "k", &["d"])).await[0];
    let retrying = DeliveryChange { attempts: Some(3), ..change(id, DeliveryState::Retrying) };
    store.record(vec![retrying]).await.unwrap();
    store.record(vec![change(id, DeliveryState::Superseded)]).await.unwrap();
    let record = store.delivery(id).await.unwrap().unwrap().delivery;
    assert_eq!((record.state, record.attempts), (DeliveryState::Superseded, 3));
}

pub(crate) async fn attempts_are_kept_oldest_first_whether_they_count_or_not(store: &dyn Store) {
    let id = accept(store, new_event(1, "k", &["d"])).await[0];
    let kinds =
        [OutcomeKind::RateLimited, OutcomeKind::Misconfigured, OutcomeKind::Retry, OutcomeKind::Delivered];
    let states =
        [DeliveryState::Pending, DeliveryState::Pending, DeliveryState::Retrying, DeliveryState::Delivered];
    for (n, (kind, state)) in (1..).zip(kinds.into_iter().zip(states)) {
        let attempt = Some(attempt(n * 10, kind));
        store.record(vec![DeliveryChange { attempt, attempts: Some(1), ..change(id, state) }]).await.unwrap();
    }
    let detail = store.delivery(id).await.unwrap().unwrap();
    let expected: Vec<_> = (1..).zip(kinds).map(|(n, kind)| (n, attempt(i64::from(n) * 10, kind))).collect();
    assert_eq!(detail.attempts, expected);
    assert_eq!(detail.delivery.attempts, 1);
    let last = LastOutcome {
        kind: OutcomeKind::Delivered,
        code: "code_delivered".to_owned(),
        message: "message of delivered".to_owned(),
    };
    assert_eq!(detail.delivery.last_outcome, Some(last));
}

pub(crate) async fn of_very_many_attempts_the_newest_are_kept(store: &dyn Store) {
    let id = accept(store, new_event(1, "k", &["d"])).await[0];
    let probe = |n| DeliveryChange {
        attempt: Some(attempt(n, OutcomeKind::Misconfigured)),
        ..change(id, DeliveryState::Pending)
    };
    store.record((1..=ATTEMPTS_KEPT_MAX + 3).map(probe).collect()).await.unwrap();
    let attempts = store.delivery(id).await.unwrap().unwrap().attempts;
    assert_eq!(attempts.len() as i64, ATTEMPTS_KEPT_MAX);
    assert_eq!(attempts.first(), Some(&(4, attempt(4, OutcomeKind::Misconfigured))));
    let last = ATTEMPTS_KEPT_MAX + 3;
    let number = u32::try_from(last).unwrap();
    assert_eq!(attempts.last(), Some(&(number, attempt(last, OutcomeKind::Misconfigured))));
}

pub(crate) async fn changes_are_kept_all_or_none(store: &dyn Store) {
    let ids = accept(store, new_event(1, "k", &["a", "b"])).await;
    let unknown = DeliveryId::new(77);
    let changes = [ids[0], unknown, ids[1]].map(|id| change(id, DeliveryState::Delivered));
    let refused = store.record(changes.to_vec()).await;
    assert!(
        matches!(refused, Err(StoreError::UnknownDelivery { delivery }) if delivery == unknown),
        "{refused:?}"
    );
    assert_eq!(waiting(store).await, ids);
}

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
                };
                check_events(&expected, store.events(filter, page(None, 99)).await.unwrap());
            }
        }
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
                let filter =
                    DeliveryFilter { state, destination: name.map(destination), event: event.map(event_id) };
                let found = store.deliveries(filter, page(None, 99)).await.unwrap();
                assert_eq!(found.items.iter().map(|record| record.id).collect::<Vec<_>>(), expected);
                assert!(found.next.is_none());
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

pub(crate) async fn a_healthy_store_says_so(store: &dyn Store) {
    store.check().await.unwrap();
    accept(store, new_event(1, "k", &["d"])).await;
    store.check().await.unwrap();
}
