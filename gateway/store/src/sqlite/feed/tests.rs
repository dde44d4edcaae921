use std::thread;

use postroom_core::{lane::Ticket, time::Timestamp};
use tokio::sync::mpsc::error::TryRecvError;

use super::*;
use crate::testing::{lane, new_event};

fn feed() -> (Feed, watch::Receiver<Option<DeliveryId>>) {
    let (commits, _) = mpsc::channel(1);
    let (mark, highest) = watch::channel(None);
    (Feed::new(commits, mark, watch::channel(0).0), highest)
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

fn fresh(id: i64) -> FreshDelivery {
    let new = new_event(1, "m-1", &["here"]);
    let lane = lane("here", "m-1");
    let (id, event) = (DeliveryId::new(id), new.event.id);
    let ticket = Ticket { id, event, lane, attempts: 0, due: Timestamp::EPOCH, repeats: false };
    FreshDelivery { ticket, event: new.event, body: None }
}

#[test]
fn who_hears_of_a_delivery_finds_it_durable() {
    const COMMITS: i64 = 50_000;
    let (commits, mut heard) = mpsc::channel(64);
    let feed = Feed::new(commits, watch::channel(None).0, watch::channel(0).0);
    let durable = feed.durable();
    let telling = thread::spawn(move || (1..=COMMITS).for_each(|id| feed.publish(vec![fresh(id)], id)));
    loop {
        match heard.try_recv() {
            Ok(commit) => {
                assert!(durable.highest() >= Some(commit.last), "{:?} is not found yet", commit.last)
            }
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => break,
        }
    }
    telling.join().unwrap();
    assert_eq!(durable.highest(), Some(DeliveryId::new(COMMITS)));
}
