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
    assert_eq!((old.replayed_by, after.delivery.replayed_by), (None, Some(made)));
    assert_eq!(after.attempts, before.attempts);
}

pub(crate) async fn what_waits_or_is_unknown_is_not_made_again(store: &dyn Store) {
    for (n, state) in (1..).zip([DeliveryState::Pending, DeliveryState::Retrying]) {
        let id = accept(store, new_event(n, "k", &["d"])).await[0];
        store.record(vec![change(id, state)]).await.unwrap();
        assert_eq!(store.retry(id, at(1)).await.unwrap(), RetryAnswer::StillWaiting(id));
    }
    assert_eq!(store.retry(DeliveryId::new(77), at(1)).await.unwrap(), RetryAnswer::Unknown);
    assert_eq!(waiting(store).await.len(), 2);
}

pub(crate) async fn whichever_of_a_chain_is_asked_for_its_newest_is_made_again(store: &dyn Store) {
    let other = finished(store, new_event(1, "k", &["a", "b"]), DeliveryState::Dead, 2_000).await[1];
    let mut chain = finished(store, new_event(2, "k", &["a"]), DeliveryState::Dead, 2_000).await;
    for n in 0..4 {
        let asked = chain[n % chain.len()];
        let RetryAnswer::Made(made) = store.retry(asked, at(3_000)).await.unwrap() else {
            panic!("the newest of {chain:?} is final")
        };
        let newest = chain[n];
        assert_eq!(links(store, made).await, (Some(newest), None));
        assert_eq!(links(store, newest).await.1, Some(made));
        chain.push(made);
        for asked in &chain {
            let answer = store.retry(*asked, at(4_000)).await.unwrap();
            assert_eq!(answer, RetryAnswer::StillWaiting(made), "one of a chain waits");
        }
        assert_eq!(waiting(store).await, [made]);
        store.record(vec![change(made, DeliveryState::Delivered)]).await.unwrap();
    }
    assert_eq!(links(store, other).await, (None, None), "another destination is another chain");
}

pub(crate) async fn asked_for_at_the_same_time_one_is_made(store: &dyn Store) {
    let dead = finished(store, new_event(1, "k", &["d"]), DeliveryState::Dead, 2_000).await[0];
    let answers = (0..4).map(|_| store.retry(dead, at(3_000)));
    let mut answers: Vec<_> =
        futures_util::future::join_all(answers).await.into_iter().map(Result::unwrap).collect();
    let made = waiting(store).await[0];
    answers.sort_by_key(|answer| *answer != RetryAnswer::Made(made));
    let waits = RetryAnswer::StillWaiting(made);
    assert_eq!(answers, [RetryAnswer::Made(made), waits, waits, waits]);
    assert_eq!(waiting(store).await, [made]);
}

/// The delivery that this one repeats, and the one that repeats it.
async fn links(store: &dyn Store, id: DeliveryId) -> (Option<DeliveryId>, Option<DeliveryId>) {
    let delivery = store.delivery(id).await.unwrap().unwrap().delivery;
    (delivery.replay_of, delivery.replayed_by)
}
