//! Idempotency marks.

use postroom_core::{delivery::DeliveryState, event::Kind, id::SourceName};

use crate::{
    Prune, Store,
    testing::{at, body, changed, event_id, finished, marked, new_event, waiting},
};

pub(crate) async fn a_repeat_is_answered_with_the_first_event(store: &dyn Store) {
    let first = store.accept(marked(new_event(1, "k", &["a", "b"]), "key", 7)).await.unwrap();
    assert!(!first.repeated);
    assert_eq!((first.event, first.kind, first.deliveries.len()), (event_id(1), Kind::MonitorRun, 2));
    // The routes may have changed since.
    for (n, targets) in [(2, &["c"][..]), (3, &[])] {
        let again = store.accept(marked(new_event(n, "k", targets), "key", 7)).await.unwrap();
        assert!(again.repeated);
        assert_eq!((again.event, again.kind), (first.event, first.kind));
        assert_eq!(again.deliveries, first.deliveries);
        assert!(store.event(event_id(n)).await.unwrap().is_none(), "nothing was written");
    }
    assert_eq!(waiting(store).await, first.deliveries);
    // What a person asks for later does not belong to the answer.
    let ids = finished(store, new_event(4, "k", &["a"]), DeliveryState::Dead, 9_000).await;
    store.retry(ids[0], at(9_500)).await.unwrap();
    let again = store.accept(marked(new_event(5, "k", &["a"]), "key", 7)).await.unwrap();
    assert_eq!(again.deliveries, first.deliveries);
}

pub(crate) async fn a_repeat_in_the_same_moment_is_one_too(store: &dyn Store) {
    let accepts = (1..=8).map(|n| store.accept(marked(new_event(n, "k", &["a"]), "key", 7)));
    let answers = futures_util::future::join_all(accepts).await;
    let answers: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(answers.iter().all(|answer| answer.event == answers[0].event));
    assert_eq!(waiting(store).await, answers[0].deliveries);
}

pub(crate) async fn another_body_under_a_known_key_is_never_dropped(store: &dyn Store) {
    store.accept(marked(new_event(1, "k", &["a"]), "key", 7)).await.unwrap();
    let noted = changed(new_event(2, "k", &["a"]), |event| event.note = Some("odd".to_owned()));
    for (n, new, note) in [(2, noted, "odd; "), (3, new_event(3, "k", &["a"]), "")] {
        let other = store.accept(marked(new, "key", 8)).await.unwrap();
        assert!(!other.repeated);
        assert_eq!(other.event, event_id(n));
        let record = store.event(event_id(n)).await.unwrap().unwrap();
        let expected = format!("{note}idempotency key was used before for another body");
        assert_eq!(record.event.note, Some(expected));
        assert_eq!(body(store, n).await, format!("body {n}"));
    }
    assert_eq!(waiting(store).await.len(), 3);
    let first = store.accept(marked(new_event(4, "k", &["a"]), "key", 7)).await.unwrap();
    assert!(first.repeated, "the first mark stays");
    assert_eq!(first.event, event_id(1));
}

pub(crate) async fn a_key_belongs_to_its_source(store: &dyn Store) {
    store.accept(marked(new_event(1, "k", &["a"]), "key", 7)).await.unwrap();
    let other = changed(new_event(2, "k", &["a"]), |event| event.source = SourceName::new("other"));
    assert!(!store.accept(marked(other, "key", 7)).await.unwrap().repeated);
    assert!(!store.accept(marked(new_event(3, "k", &["a"]), "Key", 7)).await.unwrap().repeated);
}

pub(crate) async fn a_refused_event_burns_no_key(store: &dyn Store) {
    store.accept(new_event(1, "k", &["a"])).await.unwrap();
    store.accept(marked(new_event(1, "k", &["a"]), "key", 7)).await.unwrap_err();
    assert!(!store.accept(marked(new_event(2, "k", &["a"]), "key", 7)).await.unwrap().repeated);
}

pub(crate) async fn a_mark_outlives_its_event_and_goes_with_age(store: &dyn Store) {
    let new = marked(new_event(1, "k", &["a"]), "key", 7);
    let ids = finished(store, new, DeliveryState::Delivered, 2_000).await;
    let prune = Prune { events_before: Some(at(9_000)), limit: 99, ..Prune::default() };
    assert_eq!(store.prune(prune).await.unwrap().events, 1);
    let again = store.accept(marked(new_event(2, "k", &["a"]), "key", 7)).await.unwrap();
    assert_eq!((again.repeated, again.event, again.deliveries), (true, event_id(1), ids));

    let prune = |ms| Prune { marks_before: Some(at(ms)), limit: 99, ..Prune::default() };
    assert_eq!(store.prune(prune(1_001)).await.unwrap().marks, 0, "not older than that");
    assert_eq!(store.prune(prune(1_002)).await.unwrap().marks, 1);
    assert!(!store.accept(marked(new_event(3, "k", &["a"]), "key", 7)).await.unwrap().repeated);
}
