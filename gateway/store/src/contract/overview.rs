//! Figures.

use postroom_core::{delivery::DeliveryState, outcome::OutcomeKind, time::Timestamp};

use crate::{
    DeadGroup, DeliveryChange, Overview, Store, Waits,
    testing::{accept, at, attempt, change, destination, new_event, received_at},
};

pub(crate) async fn an_empty_store_has_no_figures(store: &dyn Store) {
    assert_eq!(store.overview(at(1_000)).await.unwrap(), Overview::default());
    let dead = store.dead_letters().await.unwrap();
    assert!(dead.groups.is_empty() && !dead.is_more);
}

pub(crate) async fn figures_say_what_came_in_and_what_waits(store: &dyn Store) {
    for n in [1, 2, 70_000, 4_000_000] {
        accept(store, new_event(n, "k", &["a", "b"])).await;
    }
    let first = store.waiting(destination("a"), None, 1).await.unwrap()[0].id;
    store.record(vec![change(first, DeliveryState::Delivered)]).await.unwrap();
    let now = Timestamp::from_unix_ms(received_at(4_000_000).as_unix_ms() + 1);
    let waits = |name: &str, waiting, n| Waits {
        destination: destination(name),
        waiting,
        oldest: Some(received_at(n)),
    };
    assert_eq!(
        store.overview(now).await.unwrap(),
        Overview {
            oldest_event: Some(received_at(1)),
            newest_event: Some(received_at(4_000_000)),
            last_minute: 1,
            last_hour: 1,
            last_day: 4,
            waiting: vec![waits("a", 3, 2), waits("b", 4, 1)],
        }
    );
    let earlier = Timestamp::from_unix_ms(received_at(70_000).as_unix_ms());
    // As if the clock had been set back: what came later is not forgotten.
    assert_eq!(store.overview(earlier).await.unwrap().last_minute, 2);
}

pub(crate) async fn dead_letters_are_grouped_by_destination_and_code(store: &dyn Store) {
    let mut ids = Vec::new();
    for n in 1..=5 {
        ids.push(accept(store, new_event(n, "k", &["a", "b"])).await);
    }
    let dies = |id, ms, kind| DeliveryChange {
        at: at(ms),
        attempt: Some(attempt(ms - 5, kind)),
        ..change(id, DeliveryState::Dead)
    };
    let changes = vec![
        dies(ids[0][0], 9_100, OutcomeKind::Permanent),
        dies(ids[1][0], 9_400, OutcomeKind::Retry),
        dies(ids[2][0], 9_300, OutcomeKind::Permanent),
        dies(ids[3][1], 9_200, OutcomeKind::Permanent),
        change(ids[4][0], DeliveryState::Delivered),
        // Given up without an attempt.
        change(ids[4][1], DeliveryState::Dead),
    ];
    store.record(changes).await.unwrap();
    store.retry(ids[1][0], at(9_500)).await.unwrap();
    let group = |name: &str, kind: Option<OutcomeKind>, newest, count, made: (u32, u32), dead: (i64, i64)| {
        DeadGroup {
            destination: destination(name),
            code: kind.map(|kind| format!("code_{kind}")).unwrap_or_default(),
            message: kind.map(|kind| format!("message of {kind}")).unwrap_or_default(),
            count,
            first_made: received_at(made.0),
            last_made: received_at(made.1),
            first_dead: at(dead.0),
            last_dead: at(dead.1),
            newest,
        }
    };
    let found = store.dead_letters().await.unwrap();
    assert!(!found.is_more);
    let permanent = Some(OutcomeKind::Permanent);
    assert_eq!(
        found.groups,
        [
            group("b", None, ids[4][1], 1, (5, 5), (9_000, 9_000)),
            group("b", permanent, ids[3][1], 1, (4, 4), (9_200, 9_200)),
            // The one that was done again is not among them.
            group("a", permanent, ids[2][0], 2, (1, 3), (9_100, 9_300)),
        ]
    );
}
