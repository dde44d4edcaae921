use std::sync::Arc;

use bytes::Bytes;
use postroom_host::{Delivered, PluginDelivery};

use super::*;
use crate::{Deliver, testing::new_event};

#[derive(Debug)]
struct Nobody;

impl Deliver for Nobody {
    fn deliver(&self, _: PluginDelivery) -> futures_util::future::BoxFuture<'static, Delivered> {
        unreachable!("nothing is delivered here")
    }
}

fn two_destinations() -> (WarmBodies, [DestinationName; 2]) {
    let names = ["a", "b"].map(DestinationName::new);
    let destinations = names.clone().map(|name| Destination {
        name,
        lanes: postroom_core::lane::LaneSettings {
            concurrency: 1,
            backlog: postroom_core::lane::Backlog::Keep,
            starts_per_second: None,
        },
        schedule: None,
        retry: postroom_core::retry::RetryPolicy::default(),
        attempt_max: AGE_MAX,
        extend_max: AGE_MAX,
        deliver: Arc::new(Nobody),
    });
    (WarmBodies::of(&destinations), names)
}

fn warm(bytes: usize) -> Warm {
    (new_event("a", "x").event, Some(Bytes::from(vec![0; bytes])))
}

fn id(number: i64) -> DeliveryId {
    DeliveryId::new(number)
}

const NOW: Timestamp = Timestamp::from_unix_ms(1);

#[test]
fn what_was_kept_is_given_once() {
    let (mut bodies, [a, b]) = two_destinations();
    bodies.keep(&a, id(1), warm(10), NOW);
    assert!(bodies.take(&b, id(1)).is_none());
    assert!(bodies.take(&a, id(1)).is_some());
    assert!(bodies.take(&a, id(1)).is_none());
}

#[test]
fn what_comes_twice_takes_its_room_once() {
    let (mut bodies, [a, _]) = two_destinations();
    for _ in 0..2 {
        bodies.keep(&a, id(1), warm(limits::WARM_BODY_BYTES_MAX / 2 - 2_000), NOW);
    }
    assert!(bodies.has(&a, id(1)) && !bodies.has_room(&a));
    bodies.take(&a, id(1));
    assert!(bodies.has_room(&a) && bodies.shares[&a].bytes == 0);
}

#[test]
fn a_destination_that_takes_nothing_leaves_the_others_their_share() {
    let (mut bodies, [a, b]) = two_destinations();
    let half = limits::WARM_BODY_BYTES_MAX / 2;
    bodies.keep(&a, id(1), warm(half - 2_000), NOW);
    bodies.keep(&a, id(2), warm(10), NOW);
    bodies.keep(&b, id(3), warm(10), NOW);
    assert!(bodies.take(&a, id(2)).is_none(), "its share is used up");
    assert!(bodies.take(&b, id(3)).is_some());
    bodies.take(&a, id(1));
    bodies.keep(&a, id(4), warm(10), NOW);
    assert!(bodies.take(&a, id(4)).is_some(), "what was taken makes room");
}

#[test]
fn what_nobody_takes_goes_in_the_end() {
    let (mut bodies, [a, _]) = two_destinations();
    let half = limits::WARM_BODY_BYTES_MAX / 2;
    bodies.keep(&a, id(1), warm(half - 2_000), NOW);
    bodies.keep(&a, id(2), warm(10), NOW.plus(AGE_MAX * 2));
    assert!(bodies.take(&a, id(2)).is_some());
    assert!(bodies.take(&a, id(1)).is_none());
}
