//! What is found by filters that look into events, and lists that are followed.

use postroom_core::{
    delivery::DeliveryState,
    event::{Facts, Kind},
    id::{DeliveryId, EventId},
};

use crate::{
    DeliveryFilter, EventFilter, FollowFrom, NewEvent, Store, StoreError,
    testing::{accept, at, change, changed, destination, event_id, new_event, page, received_at},
};

fn with(n: u32, subject: &str, facts: Facts, labels: &[(&str, &str)]) -> NewEvent {
    changed(new_event(n, "k", &[]), |event| {
        event.subject = Some(subject.to_owned());
        event.facts = facts;
        event.labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        event.note = (n == 4).then(|| "left out: a LABEL".to_owned());
        event.kind = if n == 3 { Kind::CollectionBackup } else { Kind::MonitorRun };
    })
}

pub(crate) async fn events_are_found_by_what_is_in_them(store: &dyn Store) {
    let text = |text: &str| Some(text.to_owned());
    let run = |name: &str, collection: &str| Facts {
        monitor_name: text(name),
        monitor_id: text("m"),
        collection_id: text(collection),
        ..Facts::default()
    };
    let events = [
        with(1, "m", run("Smoke \u{c4}\"pi", "c"), &[("team", "payments"), ("tier", "1")]),
        with(2, "m", run("smoke", "d"), &[("team", "search")]),
        with(
            3,
            "c",
            Facts { collection_id: text("c"), collection_name: text("Shop"), ..Facts::default() },
            &[],
        ),
        // About something that is called like the monitor.
        with(4, "m", Facts::default(), &[("team", "pay\"ments")]),
    ];
    for event in events {
        accept(store, event).await;
    }
    let check = async |filter: EventFilter, expected: &[u32]| {
        let found = store.events(filter.clone(), page(None, 99)).await.unwrap();
        let ids: Vec<EventId> = found.items.iter().map(|record| record.event.id).collect();
        assert_eq!(ids, expected.iter().copied().map(event_id).collect::<Vec<_>>(), "{filter:?}");
        let followed = store.events_from(filter.clone(), FollowFrom::After(0), 99).await.unwrap();
        let mut oldest_first: Vec<EventId> = followed.items.iter().map(|record| record.event.id).collect();
        oldest_first.reverse();
        assert_eq!((oldest_first, followed.last, followed.is_more), (ids, 4, false), "{filter:?}");
    };
    let all = EventFilter::default;
    let labelled = |name: &str, value: &str| EventFilter {
        label: Some((name.to_owned(), Some(value.to_owned()))),
        ..EventFilter::default()
    };
    check(labelled("team", "payments"), &[1]).await;
    check(labelled("team", "pay\"ments"), &[4]).await;
    check(labelled("tier", "payments"), &[]).await;
    check(EventFilter { label: Some(("team".to_owned(), None)), ..all() }, &[4, 2, 1]).await;
    check(EventFilter { monitor: text("m"), ..all() }, &[2, 1]).await;
    check(EventFilter { monitor: text("c"), ..all() }, &[]).await;
    check(EventFilter { collection: text("c"), ..all() }, &[3, 1]).await;
    check(EventFilter { collection: text("c"), kind: Some(Kind::MonitorRun), ..all() }, &[1]).await;
    check(EventFilter { text: text("smoke"), ..all() }, &[2, 1]).await;
    check(EventFilter { text: text("\u{e4}\"p"), ..all() }, &[1]).await;
    check(EventFilter { text: text("shop"), ..all() }, &[3]).await;
    check(EventFilter { text: text("a label"), ..all() }, &[4]).await;
    check(EventFilter { text: text("monitor"), ..all() }, &[]).await;
    check(EventFilter { since: Some(received_at(2)), until: Some(received_at(4)), ..all() }, &[3, 2]).await;
    check(EventFilter { since: Some(received_at(5)), ..all() }, &[]).await;
    check(EventFilter { until: Some(received_at(3)), monitor: text("m"), ..all() }, &[2, 1]).await;
}

pub(crate) async fn a_list_that_is_followed_gives_each_row_once_in_its_order(store: &dyn Store) {
    let now = store.events_from(EventFilter::default(), FollowFrom::Now, 9).await.unwrap();
    assert_eq!((now.items.len(), now.last, now.is_more), (0, 0, false));
    let mut made = Vec::new();
    for n in 1..=11 {
        made.extend(accept(store, new_event(n, "k", &["a", "b"])).await);
    }
    let mut place = FollowFrom::After(now.last);
    let mut seen = Vec::new();
    loop {
        let part = store.events_from(EventFilter::default(), place, 3).await.unwrap();
        seen.extend(part.items.iter().map(|record| record.event.id));
        place = FollowFrom::After(part.last);
        if !part.is_more {
            break;
        }
    }
    assert_eq!(seen, (1..=11).map(event_id).collect::<Vec<_>>());
    let FollowFrom::After(end) = place else { panic!() };
    let nothing = store.events_from(EventFilter::default(), place, 3).await.unwrap();
    assert_eq!((nothing.items.len(), nothing.last), (0, end), "asked again, it waits there");
    accept(store, new_event(12, "k", &[])).await;
    let more = store.events_from(EventFilter::default(), place, 3).await.unwrap();
    assert_eq!(more.items[0].event.id, event_id(12));
    // From the future of another database.
    for beyond in [1, i64::MAX - 999] {
        let (event, delivery) = (end + 1 + beyond, made[made.len() - 1].get() + beyond);
        let refused = store.events_from(EventFilter::default(), FollowFrom::After(event), 3).await;
        assert!(matches!(refused, Err(StoreError::UnknownPlace { place }) if place == event), "{refused:?}");
        let refused = store.deliveries_from(DeliveryFilter::default(), FollowFrom::After(delivery), 3).await;
        assert!(
            matches!(refused, Err(StoreError::UnknownPlace { place }) if place == delivery),
            "{refused:?}"
        );
    }

    // Some wait, some are dead, in an order of their own.
    for id in made.iter().step_by(3) {
        store.record(vec![change(*id, DeliveryState::Dead)]).await.unwrap();
    }
    let waiting: Vec<DeliveryId> =
        made.iter().enumerate().filter(|(n, _)| n % 3 != 0).map(|(_, id)| *id).collect();
    let dead: Vec<DeliveryId> = made.iter().step_by(3).copied().collect();
    let to_b: Vec<DeliveryId> = made.iter().skip(1).step_by(2).copied().collect();
    let filter = DeliveryFilter::default;
    for (filter, expected) in [
        (filter(), &made),
        (DeliveryFilter { state: Some(DeliveryState::Pending), ..filter() }, &waiting),
        (DeliveryFilter { state: Some(DeliveryState::Dead), ..filter() }, &dead),
        (DeliveryFilter { destination: Some(destination("b")), ..filter() }, &to_b),
        (DeliveryFilter { since: Some(at(0)), until: Some(received_at(999)), ..filter() }, &made),
    ] {
        for limit in [1, 2, 5, 99] {
            let (mut seen, mut place) = (Vec::new(), FollowFrom::After(0));
            loop {
                let part = store.deliveries_from(filter.clone(), place, limit).await.unwrap();
                assert!(part.items.len() <= limit);
                seen.extend(part.items.iter().map(|record| record.id));
                place = FollowFrom::After(part.last);
                if !part.is_more {
                    break;
                }
            }
            assert_eq!(seen, *expected, "{filter:?} by {limit}");
            assert_eq!(place, FollowFrom::After(made[made.len() - 1].get()), "{filter:?}");
        }
    }
}
