use futures_util::FutureExt as _;
use postroom_core::id::DeliveryId;

use super::{Changed, NOTED_MAX, Noted};

fn ids(numbers: impl IntoIterator<Item = i64>) -> impl Iterator<Item = DeliveryId> {
    numbers.into_iter().map(DeliveryId::new)
}

#[test]
fn nothing_is_kept_for_nobody() {
    let changed = Changed::default();
    changed.deliveries(ids([1]));
    assert_eq!(changed.take(), Noted::default());
    changed.listen();
    changed.deliveries(ids([2]));
    changed.ignore();
    assert_eq!(changed.take(), Noted::default());
}

#[tokio::test]
async fn each_change_is_taken_once_and_wakes_whoever_waits() {
    let changed = Changed::default();
    changed.listen();
    assert!(changed.more().now_or_never().is_none());
    changed.deliveries(ids([2, 1]));
    changed.deliveries(ids([2]));
    changed.more().await;
    assert_eq!(changed.take(), Noted { deliveries: ids([1, 2]).collect(), ..Noted::default() });
    assert_eq!(changed.take(), Noted::default());
}

#[test]
fn what_nobody_takes_does_not_grow() {
    let changed = Changed::default();
    changed.listen();
    let most = i64::try_from(NOTED_MAX).unwrap();
    changed.deliveries(ids(0..most));
    changed.deliveries(ids([most, most + 1]));
    changed.deliveries(ids([7]));
    let expected = Noted { deliveries: ids([7]).collect(), lost_deliveries: true, ..Noted::default() };
    assert_eq!(changed.take(), expected);
}
