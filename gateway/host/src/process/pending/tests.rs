use std::{sync::Arc, time::Duration};

use postroom_core::id::EventId;
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};

use super::{Holding, InFlight, Pending, Reply};
use crate::{
    outcome::Report,
    process::Exit,
    testing::bytes_of,
    wire::{Frame, ToChild},
};

const GRACE: Duration = Duration::from_secs(5);

/// A process with two places.
struct Rig {
    pending: Arc<Pending>,
    slots: Arc<Semaphore>,
    outgoing: mpsc::Sender<Frame>,
    sent: mpsc::Receiver<Frame>,
}

impl Rig {
    fn new() -> Self {
        let (outgoing, sent) = mpsc::channel(8);
        let pending = Arc::new(Pending::default());
        Self { pending, slots: Arc::new(Semaphore::new(2)), outgoing, sent }
    }

    fn add(&self, token: u64) -> Option<InFlight> {
        let slot = Arc::clone(&self.slots).try_acquire_owned().unwrap();
        let until = Instant::now() + Duration::from_secs(60);
        let holding = Holding { event: EventId::from_bytes([7; 16]), hops: 0, until, until_max: until };
        self.pending.add(token, holding, slot, &self.outgoing)
    }

    #[track_caller]
    fn sent(&mut self) -> ToChild {
        ToChild::decode(bytes_of(self.sent.try_recv().unwrap())).unwrap()
    }
}

fn ended() -> Reply {
    Reply::Ended(Report::default())
}

#[tokio::test]
async fn a_reply_ends_the_delivery_once_and_frees_its_place() {
    let rig = Rig::new();
    let mut delivery = rig.add(1).unwrap();
    assert_eq!(rig.pending.event(1), Some(EventId::from_bytes([7; 16])));
    assert!(rig.pending.end(1, ended()).is_ok());
    assert!(matches!(delivery.reply().await, Reply::Ended(_)));
    assert_eq!((rig.slots.available_permits(), rig.pending.event(1)), (2, None));
    assert!(rig.pending.end(1, ended()).is_err());
    assert!(rig.pending.end(99, ended()).is_err());
}

#[tokio::test]
async fn a_delivery_given_up_is_cancelled_and_keeps_its_place_until_it_is_let_go() {
    let mut rig = Rig::new();
    drop(rig.add(1).unwrap());
    assert_eq!(rig.sent(), ToChild::Cancel { token: 1 });
    assert_eq!(rig.slots.available_permits(), 1);
    assert!(rig.pending.release(1, Report::default()).is_ok());
    assert_eq!(rig.slots.available_permits(), 2);
}

#[tokio::test]
async fn a_delivery_that_has_ended_is_not_cancelled() {
    let mut rig = Rig::new();
    let delivery = rig.add(1).unwrap();
    rig.pending.end(1, ended()).unwrap();
    drop(delivery);
    assert!(rig.sent.try_recv().is_err());
}

#[tokio::test]
async fn only_a_delivery_given_up_can_be_let_go() {
    let rig = Rig::new();
    let _delivery = rig.add(1).unwrap();
    assert!(rig.pending.release(1, Report::default()).is_err());
}

#[tokio::test]
async fn a_delivery_cancelled_is_waited_for_until_it_is_let_go() {
    let mut rig = Rig::new();
    let mut delivery = rig.add(1).unwrap();
    delivery.cancel();
    assert_eq!(rig.sent(), ToChild::Cancel { token: 1 });
    assert!(rig.pending.release(1, Report::default()).is_ok());
    assert!(matches!(delivery.reply().await, Reply::Released(_)));
    drop(delivery);
    assert!(rig.sent.try_recv().is_err(), "one cancel is enough");
}

#[tokio::test]
async fn a_delivery_is_overdue_when_it_was_given_up_long_ago() {
    let rig = Rig::new();
    let now = Instant::now();
    let delivery = rig.add(1).unwrap();
    assert!(!rig.pending.is_overdue(now + GRACE * 2, GRACE), "somebody waits for it");
    delivery.cancel();
    assert!(!rig.pending.is_overdue(now, GRACE), "it was given up just now");
    assert!(rig.pending.is_overdue(now + GRACE * 2, GRACE));
    rig.pending.release(1, Report::default()).unwrap();
    assert!(!rig.pending.is_overdue(now + GRACE * 2, GRACE));
}

#[tokio::test]
async fn the_end_of_the_process_ends_all_deliveries_and_takes_no_more() {
    let rig = Rig::new();
    let mut delivery = rig.add(1).unwrap();
    rig.pending.close(&Exit::Signal(6));
    assert!(matches!(delivery.reply().await, Reply::Lost(Exit::Signal(6))));
    assert!(rig.add(2).is_none());
}
