use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use postroom_core::monitor::Absence;
use tokio::time::sleep;

use super::*;
use crate::testing::{self, NOON};

const SECOND: i64 = 1000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_ms(NOON + seconds * SECOND)
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_is_back_goes_on_and_knows_when_it_was_away() {
    let before = Watch::of([Absence { from: at(-900), until: at(-600) }]);
    let gone_on = |alive_at| {
        let mut listening = Listening::start(testing::clock());
        listening.go_on(alive_at, before.clone());
        listening.watch()
    };
    let mut longer = before.clone();
    longer.away(at(-5), at(0));
    assert_eq!(gone_on(at(-5)), longer);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_fell_back_meanwhile_forgets_only_what_is_yet_to_come() {
    let absence = |from, until| Absence { from: at(from), until: at(until) };
    let mut listening = Listening::start(testing::clock());
    listening.go_on(at(500), Watch::of([absence(-900, -600), absence(-60, 30), absence(100, 200)]));
    // It is not known what was heard around now.
    assert_eq!(listening.watch(), Watch::of([absence(-900, -600), absence(-60, 0)]));
    let mut listening = Listening::start(testing::clock());
    listening.go_on(at(5), Watch::of([absence(-900, -600)]));
    assert_eq!(listening.watch(), Watch::of([absence(-900, -600), absence(0, 0)]));
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_drifts_does_not_jump() {
    let (right, off) = (testing::clock(), Arc::new(AtomicI64::new(0)));
    let by = Arc::clone(&off);
    let clock =
        Clock::new(move || Timestamp::from_unix_ms(right.now().as_unix_ms() + by.load(Ordering::SeqCst)));
    let mut listening = Listening::start(clock);
    for _ in 0..10 {
        sleep(Duration::from_secs(30)).await;
        off.fetch_add(20 * SECOND, Ordering::SeqCst);
        assert!(!listening.look().1);
        listening.kept();
    }
    assert_eq!(listening.watch().listening_since(), at(0));
    off.fetch_add(-61 * SECOND, Ordering::SeqCst);
    let (now, jumped) = listening.look();
    assert!(jumped);
    assert_eq!(listening.watch().listening_since(), now);
}
