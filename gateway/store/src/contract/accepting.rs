//! What is accepted is there, and reads back as it came.

use postroom_core::{
    delivery::DeliveryState,
    event::{Event, Facts, Kind, Verdict},
    id::DeliveryId,
    limits::INLINE_BODY_BYTES_MAX,
    route::Explanation,
};

use crate::{
    EventFilter, NewEvent, Store, StoreError,
    testing::{
        accept, body, changed, destination, event_id, explanation, new_event, page, waiting, with_body,
    },
};

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
    let [a, b] = &record.deliveries[..] else { panic!("two deliveries: {record:?}") };
    assert_eq!([a.id, b.id], ids[..]);
    assert_eq!([&a.destination, &b.destination], [&destination("a"), &destination("b")]);
    assert_eq!((a.event, a.route.as_str(), &*a.lane), (event_id(1), "all", "monitor:m"));
    assert_eq!((a.state, a.attempts, a.created_at), (DeliveryState::Pending, 0, new.event.received_at));
    assert_eq!((a.due, a.finished_at, &a.last_outcome), (None, None, &None));
    assert_eq!((a.replay_of, a.replay), (None, None));
}

pub(crate) async fn events_are_read_together_with_their_small_bodies(store: &dyn Store) {
    let large = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    let new = [
        with_body(new_event(1, "k", &["d"]), "1234"),
        with_body(new_event(2, "k", &["d"]), large),
        with_body(new_event(3, "k", &["d"]), "56"),
        with_body(new_event(4, "k", &["d"]), "789"),
    ];
    for new in &new {
        accept(store, new.clone()).await;
    }
    let load = async |numbers: &[u32], bytes_max| {
        let ids = numbers.iter().map(|number| event_id(*number)).collect();
        store.load(ids, bytes_max).await.unwrap()
    };
    let loaded = load(&[3, 2, 9, 1], usize::MAX).await;
    let events: Vec<_> = loaded.iter().map(|loaded| &loaded.event).collect();
    assert_eq!(events, [&new[2].event, &new[1].event, &new[0].event], "in the order asked for");
    let bodies: Vec<_> = loaded.iter().map(|loaded| loaded.body.as_deref()).collect();
    assert_eq!(bodies, [Some(b"56".as_slice()), None, Some(b"1234")]);
    for (bytes_max, count) in [(0, 1), (4, 1), (5, 1), (6, 2), (8, 2), (9, 3)] {
        assert_eq!(load(&[1, 3, 4], bytes_max).await.len(), count, "{bytes_max} bytes");
    }
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
        let sent: Vec<u8> = (0..=250).cycle().take(length).collect();
        accept(store, with_body(new_event(n, "k", &["d"]), sent.clone())).await;
        assert_eq!(body(store, n).await, sent, "{length} bytes");
    }
}

pub(crate) async fn equal_bodies_are_two_events(store: &dyn Store) {
    let sent = vec![b'x'; INLINE_BODY_BYTES_MAX + 1];
    for n in 1..=2 {
        accept(store, with_body(new_event(n, "k", &["d"]), sent.clone())).await;
    }
    assert_eq!(waiting(store).await.len(), 2);
    for n in 1..=2 {
        assert_eq!(body(store, n).await, sent);
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

pub(crate) async fn an_event_that_went_nowhere_says_why(store: &dyn Store) {
    assert!(accept(store, new_event(1, "k", &[])).await.is_empty());
    let record = store.event(event_id(1)).await.unwrap().unwrap();
    assert!(record.deliveries.is_empty());
    assert_eq!(record.explanations, [explanation()]);
}

pub(crate) async fn an_event_that_went_somewhere_says_why_it_did(store: &dyn Store) {
    let matched = Explanation { matched: true, ..explanation() };
    let new = NewEvent {
        explanations: vec![explanation(), matched.clone(), explanation()],
        ..new_event(1, "k", &["d"])
    };
    accept(store, new).await;
    assert_eq!(store.event(event_id(1)).await.unwrap().unwrap().explanations, [matched]);
}

pub(crate) async fn an_event_id_is_accepted_once(store: &dyn Store) {
    accept(store, new_event(1, "k", &["d"])).await;
    let (again, other) = tokio::join!(
        store.accept(with_body(new_event(1, "k", &["d"]), "another body")),
        store.accept(new_event(2, "k", &["d"])),
    );
    assert!(matches!(again, Err(StoreError::Duplicate { event }) if event == event_id(1)), "{again:?}");
    other.unwrap();
    assert_eq!(body(store, 1).await, "body 1");
    assert_eq!(waiting(store).await.len(), 2);
}

pub(crate) async fn a_healthy_store_says_so(store: &dyn Store) {
    store.check().await.unwrap();
    accept(store, new_event(1, "k", &["d"])).await;
    store.check().await.unwrap();
}
