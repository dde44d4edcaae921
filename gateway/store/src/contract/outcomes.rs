//! What waits, and what became of it.

use postroom_core::{delivery::DeliveryState, id::DeliveryId, outcome::OutcomeKind, time::Timestamp};

use crate::{
    ATTEMPTS_KEPT_MAX, DeliveryChange, LastOutcome, Store, StoreError, WaitingCount,
    testing::{accept, at, attempt, change, destination, event_id, lane, new_event, waiting, waiting_for},
};

pub(crate) async fn deliveries_wait_in_the_order_of_acceptance(store: &dyn Store) {
    let mut ids = Vec::new();
    // Event ids that fall show that it is not they that make the order.
    for n in [5, 3, 4, 1] {
        ids.extend(accept(store, new_event(n, "k", &["b", "a"])).await);
    }
    assert!(ids.is_sorted());
    assert_eq!(waiting(store).await, ids);
    assert_eq!(waiting_for(store, "a").await, [ids[1], ids[3], ids[5], ids[7]]);
    assert!(waiting_for(store, "nobody").await.is_empty());
    let some = store.waiting(destination("b"), Some(ids[1]), 2).await.unwrap();
    assert_eq!(some.iter().map(|ticket| ticket.id).collect::<Vec<_>>(), [ids[2], ids[4]]);
    assert_eq!(some.iter().map(|ticket| ticket.event).collect::<Vec<_>>(), [3, 4].map(event_id));
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
    assert_eq!(store.waiting(destination("d"), None, 1).await.unwrap()[0], *ticket);
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
