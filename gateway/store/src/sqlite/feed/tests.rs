use super::*;

fn feed() -> (Feed, watch::Receiver<Option<DeliveryId>>) {
    let (commits, _) = mpsc::channel(1);
    let (mark, highest) = watch::channel(None);
    (Feed::new(commits, mark), highest)
}

#[test]
fn the_mark_never_goes_back() {
    let (feed, mut highest) = feed();
    feed.mark(Some(DeliveryId::new(2)));
    assert_eq!(*highest.borrow_and_update(), Some(DeliveryId::new(2)));
    for lower in [Some(DeliveryId::new(1)), Some(DeliveryId::new(2)), None] {
        feed.mark(lower);
        assert!(!highest.has_changed().unwrap(), "{lower:?}");
    }
    feed.mark(Some(DeliveryId::new(3)));
    assert_eq!(*highest.borrow_and_update(), Some(DeliveryId::new(3)));
}
