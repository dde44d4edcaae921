use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_unix_ms(1_000);
const LATER: Timestamp = Timestamp::from_unix_ms(9_000);

fn destination() -> DestinationName {
    DestinationName::new("d")
}

fn lane(key: &str) -> LaneKey {
    LaneKey { destination: destination(), key: key.into() }
}

fn ticket(id: i64, key: &str) -> Ticket {
    Ticket {
        id: DeliveryId::new(id),
        event: EventId::from_bytes([0; 16]),
        lane: lane(key),
        attempts: 0,
        due: Timestamp::EPOCH,
    }
}

fn lanes(concurrency: u32, backlog: Backlog) -> Lanes {
    let mut lanes = Lanes::default();
    lanes.open(destination(), LaneSettings { concurrency, backlog });
    lanes
}

fn started(lanes: &mut Lanes, now: Timestamp) -> Vec<i64> {
    std::iter::from_fn(|| lanes.start(now)).map(|ticket| ticket.id.get()).collect()
}

fn settle(lanes: &mut Lanes, key: &str, id: i64, next: Next) {
    lanes.settle(&lane(key), DeliveryId::new(id), next);
}

fn ids(list: &[i64]) -> Vec<DeliveryId> {
    list.iter().copied().map(DeliveryId::new).collect()
}

const AGAIN: Next = Next::Again { due: LATER, attempts: 1 };

#[test]
fn a_lane_goes_one_at_a_time_and_lanes_go_side_by_side() {
    let mut lanes = lanes(8, Backlog::Keep);
    for (id, key) in [(1, "a"), (2, "a"), (3, "b")] {
        assert_eq!(lanes.add(ticket(id, key)), Added::Queued);
    }
    assert_eq!(started(&mut lanes, NOW), [1, 3]);
    settle(&mut lanes, "a", 1, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn a_retry_holds_its_own_lane_only() {
    let mut lanes = lanes(8, Backlog::Keep);
    for (id, key) in [(1, "a"), (2, "a"), (3, "b"), (4, "b")] {
        lanes.add(ticket(id, key));
    }
    started(&mut lanes, NOW);
    settle(&mut lanes, "a", 1, AGAIN);
    settle(&mut lanes, "b", 3, Next::Finished);
    assert_eq!(started(&mut lanes, NOW), [4]);
    assert_eq!(lanes.wake_at(), Some(LATER));
    assert_eq!(started(&mut lanes, LATER), [1], "the failed one goes again before the newer one");
}

#[test]
fn concurrency_bounds_what_is_in_flight() {
    let mut lanes = lanes(2, Backlog::Keep);
    for id in 1..=5 {
        lanes.add(ticket(id, &format!("lane {id}")));
    }
    assert_eq!(started(&mut lanes, NOW).len(), 2);
    assert_eq!(lanes.in_flight(), 2);
    assert_eq!(lanes.wake_at(), None, "only a settlement can change anything");
}

#[test]
fn a_paused_destination_starts_nothing_then_probes_with_one() {
    let mut lanes = lanes(8, Backlog::Keep);
    for id in 1..=3 {
        lanes.add(ticket(id, &format!("lane {id}")));
    }
    assert!(lanes.pause(&destination(), LATER));
    assert!(started(&mut lanes, NOW).is_empty());
    assert_eq!(lanes.wake_at(), Some(LATER));
    assert_eq!(started(&mut lanes, LATER), [1]);
    settle(&mut lanes, "lane 1", 1, Next::Finished);
    assert_eq!(started(&mut lanes, LATER), [2], "still one at a time");
    assert!(lanes.reached(&destination()));
    assert_eq!(started(&mut lanes, LATER), [3]);
    assert!(!lanes.reached(&destination()), "the pause is over already");
}

#[test]
fn latest_supersedes_what_waits_behind_a_failed_head() {
    let mut lanes = lanes(8, Backlog::Latest);
    for id in 1..=3 {
        lanes.add(ticket(id, "a"));
    }
    assert_eq!(started(&mut lanes, NOW), [1]);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[1, 2]));
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(started(&mut lanes, NOW), [3], "the newest goes at once, with a budget of its own");
}

#[test]
fn latest_supersedes_a_waiting_head_when_a_newer_one_comes() {
    let mut lanes = lanes(8, Backlog::Latest);
    lanes.add(ticket(1, "a"));
    started(&mut lanes, NOW);
    assert_eq!(lanes.hold_up(&lane("a")), ids(&[]));
    settle(&mut lanes, "a", 1, AGAIN);
    assert_eq!(lanes.add(ticket(2, "a")), Added::Supersedes(ids(&[1])));
    assert!(started(&mut lanes, LATER).is_empty(), "not before the superseded one is recorded");
    lanes.release(&lane("a"));
    assert_eq!(started(&mut lanes, NOW), [2]);
}

#[test]
fn latest_leaves_a_healthy_lane_alone() {
    let mut lanes = lanes(8, Backlog::Latest);
    for id in 1..=3 {
        assert_eq!(lanes.add(ticket(id, "a")), Added::Queued);
    }
    for id in 1..=3 {
        assert_eq!(started(&mut lanes, NOW), [id]);
        settle(&mut lanes, "a", id, Next::Finished);
    }
}

#[test]
fn a_destination_that_is_gone_keeps_its_deliveries_in_the_store() {
    let mut lanes = Lanes::default();
    assert_eq!(lanes.add(ticket(1, "a")), Added::NoDestination);
}

#[test]
fn destinations_are_served_in_turn() {
    let mut lanes = Lanes::default();
    for name in ["a", "b"] {
        let settings = LaneSettings { concurrency: 9, backlog: Backlog::Keep };
        lanes.open(DestinationName::new(name), settings);
    }
    for id in 1..=4 {
        let name = if id <= 2 { "a" } else { "b" };
        let lane = LaneKey { destination: DestinationName::new(name), key: id.to_string().into() };
        lanes.add(Ticket { lane, ..ticket(id, "") });
    }
    assert_eq!(started(&mut lanes, NOW), [1, 3, 2, 4]);
}

#[test]
fn a_refill_that_is_ahead_of_the_feed_brings_nothing_twice() {
    let mut lanes = lanes(8, Backlog::Keep);
    for id in 1..=40 {
        lanes.add(ticket(id, "a"));
    }
    for id in 1..=16 {
        assert_eq!(started(&mut lanes, NOW), [id]);
        settle(&mut lanes, "a", id, Next::Finished);
    }
    let refills = lanes.refills();
    assert_eq!(refills.len(), 1);
    // 41 and 42 are committed before the store is read, and the feed brings them after its answer.
    lanes.refill(&refills[0], (33..=42).map(|id| ticket(id, "a")).collect());
    for id in [41, 42] {
        lanes.add(ticket(id, "a"));
    }
    let mut order = Vec::new();
    while let [id] = started(&mut lanes, NOW)[..] {
        order.push(id);
        settle(&mut lanes, "a", id, Next::Finished);
    }
    assert_eq!(order, (17..=42).collect::<Vec<_>>());
}

#[test]
fn of_two_pauses_the_longer_one_counts() {
    let mut lanes = lanes(8, Backlog::Keep);
    assert!(lanes.pause(&destination(), LATER));
    assert!(!lanes.pause(&destination(), NOW));
    assert_eq!(lanes.load(&destination()).unwrap().paused_until, Some(LATER));
}

/// The store, as far as lanes can see it: what waits, in order, per lane.
#[derive(Default)]
struct Model {
    waiting: BTreeMap<String, VecDeque<Ticket>>,
    in_flight: BTreeMap<String, i64>,
    finished: Vec<(String, i64)>,
}

impl Model {
    fn answer_refills(&self, lanes: &mut Lanes) {
        loop {
            let refills = lanes.refills();
            if refills.is_empty() {
                return;
            }
            for refill in refills {
                let rest = self.waiting.get(&*refill.lane.key).into_iter().flatten();
                let next = rest.filter(|ticket| Some(ticket.id) > refill.after).take(refill.limit).cloned();
                let _added = lanes.refill(&refill, next.collect());
            }
        }
    }
}

proptest! {
    /// Random arrivals, failures and successes, with far more deliveries than a window holds: every delivery is
    /// finished exactly once, each lane strictly in order, never two of a lane at once.
    #[test]
    fn nothing_is_lost_and_every_lane_keeps_its_order(
        steps in proptest::collection::vec((0u8..4, 0u8..3, any::<bool>()), 1..600),
        concurrency in 1u32..4,
    ) {
        let mut lanes = lanes(concurrency, Backlog::Keep);
        let mut model = Model::default();
        let mut clock = 0;
        let mut last = 0;
        let mut step = |lanes: &mut Lanes, model: &mut Model, what: u8, key: u8, ok: bool| {
            clock += 10;
            let now = Timestamp::from_unix_ms(clock);
            match what {
                0 | 1 => for _ in 0..8 {
                    last += 1;
                    let ticket = ticket(last, &key.to_string());
                    model.waiting.entry(key.to_string()).or_default().push_back(ticket.clone());
                    lanes.add(ticket);
                },
                2 => while let Some(ticket) = lanes.start(now) {
                    let key = ticket.lane.key.to_string();
                    assert!(model.in_flight.insert(key.clone(), ticket.id.get()).is_none(), "two at once");
                    assert_eq!(model.waiting[&key][0].id, ticket.id, "out of order");
                },
                _ => if let Some((key, id)) = model.in_flight.pop_first() {
                    let next = if ok {
                        model.waiting.get_mut(&key).unwrap().pop_front();
                        model.finished.push((key.clone(), id));
                        Next::Finished
                    } else {
                        Next::Again { due: now.plus(std::time::Duration::from_millis(5)), attempts: 1 }
                    };
                    lanes.settle(&lane(&key), DeliveryId::new(id), next);
                },
            }
            model.answer_refills(lanes);
            assert!(lanes.in_flight() <= concurrency);
        };
        for (what, key, ok) in steps {
            step(&mut lanes, &mut model, what, key, ok);
        }
        while model.waiting.values().any(|lane| !lane.is_empty()) {
            let before = (model.finished.len(), model.in_flight.len());
            step(&mut lanes, &mut model, 2, 0, true);
            step(&mut lanes, &mut model, 3, 0, true);
            prop_assert_ne!(before, (model.finished.len(), model.in_flight.len()), "stuck");
        }
        prop_assert_eq!(lanes.wake_at(), None);
        prop_assert!(lanes.destinations.values().all(|d| d.load().in_flight == 0));
    }

    /// A store that is ahead of the feed, and answers to refills that come late: every delivery is finished exactly
    /// once, each lane in order.
    #[test]
    fn a_store_ahead_of_the_feed_changes_nothing(steps in proptest::collection::vec((0u8..5, 0u8..3), 1..200)) {
        let mut lanes = lanes(2, Backlog::Keep);
        let (mut store, mut feed): (Vec<Ticket>, VecDeque<Ticket>) = Default::default();
        let (mut last, mut clock) = (0, 0);
        let (mut in_flight, mut asked): (VecDeque<Ticket>, Vec<Refill>) = Default::default();
        let mut finished: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        // At the end everything but arrivals, in turn, often enough that all that arrived can finish.
        let arrivals = steps.iter().filter(|(what, _)| *what == 0).count() * 12;
        let rest = (0..arrivals * 40).map(|number| ([1, 2, 3, 4][number % 4], 0));
        for (what, key) in steps.into_iter().chain(rest) {
            clock += 1;
            match what {
                0 => for _ in 0..12 {
                    last += 1;
                    let ticket = ticket(last, &key.to_string());
                    store.push(ticket.clone());
                    feed.push_back(ticket);
                },
                1 => if let Some(ticket) = feed.pop_front() {
                    lanes.add(ticket);
                },
                2 => in_flight.extend(std::iter::from_fn(|| lanes.start(Timestamp::from_unix_ms(clock)))),
                3 => if let Some(ticket) = in_flight.pop_front() {
                    store.retain(|waiting| waiting.id != ticket.id);
                    finished.entry(ticket.lane.key.to_string()).or_default().push(ticket.id.get());
                    lanes.settle(&ticket.lane, ticket.id, Next::Finished);
                },
                _ => {
                    asked.extend(lanes.refills());
                    if let Some(refill) = asked.pop() {
                        let of_lane = store.iter().filter(|ticket| ticket.lane == refill.lane);
                        let next = of_lane.filter(|ticket| Some(ticket.id) > refill.after).take(refill.limit);
                        let _added = lanes.refill(&refill, next.cloned().collect());
                    }
                }
            }
        }
        prop_assert_eq!(finished.values().map(Vec::len).sum::<usize>(), usize::try_from(last).unwrap());
        prop_assert!(finished.values().all(|ids| ids.is_sorted_by(|a, b| a < b)), "{:?}", finished);
    }
}
