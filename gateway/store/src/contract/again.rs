//! One delivery once more.

use postroom_core::{delivery::DeliveryState, id::DeliveryId, outcome::OutcomeKind};

use crate::{
    DeliveryChange, RetryAnswer, Store,
    testing::{accept, at, attempt, change, finished, lane, new_event, waiting},
};

pub(crate) async fn a_delivery_made_again_starts_anew_behind_what_waits(store: &dyn Store) {
    let dead = accept(store, new_event(1, "k", &["d"])).await[0];
    let dies = DeliveryChange {
        attempts: Some(11),
        attempt: Some(attempt(5, OutcomeKind::Retry)),
        ..change(dead, DeliveryState::Dead)
    };
    store.record(vec![dies]).await.unwrap();
    let before = store.delivery(dead).await.unwrap().unwrap();
    let waits = accept(store, new_event(2, "k", &["d"])).await[0];

    let RetryAnswer::Made(made) = store.retry(dead, at(7_000)).await.unwrap() else { panic!("it is final") };
    let detail = store.delivery(made).await.unwrap().unwrap();
    let (old, new) = (&before.delivery, &detail.delivery);
    assert_eq!((new.state, new.attempts, &detail.attempts[..]), (DeliveryState::Pending, 0, &[][..]));
    assert_eq!((new.created_at, new.replay_of, new.replay), (at(7_000), Some(dead), None));
    assert_eq!(
        (new.event, &new.destination, &new.route, &new.lane),
        (old.event, &old.destination, &old.route, &old.lane)
    );
    let lane = store.waiting_in_lane(lane("d", "k"), None, 9).await.unwrap();
    assert_eq!(
        lane.iter().map(|ticket| (ticket.id, ticket.attempts)).collect::<Vec<_>>(),
        [(waits, 0), (made, 0)]
    );

    let after = store.delivery(dead).await.unwrap().unwrap();
    assert_eq!(after.delivery.state, DeliveryState::Dead, "the original stays what it was");
    assert_eq!(after.attempts, before.attempts);
}

pub(crate) async fn what_waits_or_is_unknown_is_not_made_again(store: &dyn Store) {
    for (n, state) in (1..).zip([DeliveryState::Pending, DeliveryState::Retrying]) {
        let id = accept(store, new_event(n, "k", &["d"])).await[0];
        store.record(vec![change(id, state)]).await.unwrap();
        assert_eq!(store.retry(id, at(1)).await.unwrap(), RetryAnswer::StillWaiting);
    }
    assert_eq!(store.retry(DeliveryId::new(77), at(1)).await.unwrap(), RetryAnswer::Unknown);
    assert_eq!(waiting(store).await.len(), 2);
}

pub(crate) async fn each_time_it_is_asked_for_makes_another(store: &dyn Store) {
    let mut ids = finished(store, new_event(1, "k", &["d"]), DeliveryState::Delivered, 2_000).await;
    for n in 0..3 {
        let RetryAnswer::Made(made) = store.retry(ids[0], at(3_000 + n)).await.unwrap() else {
            panic!("it is final")
        };
        assert!(!ids.contains(&made));
        ids.push(made);
    }
    assert_eq!(waiting(store).await, ids[1..]);
}
