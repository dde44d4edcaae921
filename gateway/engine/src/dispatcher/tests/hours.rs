//! A destination that delivers at certain hours only. The tests begin on a Tuesday at noon, UTC.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use postroom_core::{lane::GateState, schedule::Schedule, time::Timestamp};
use tokio::time::Instant;

use super::{actor::Scripted, stage::Setup};
use crate::{Clock, testing};

const HOUR: Duration = Duration::from_secs(60 * 60);

fn afternoons() -> Option<Schedule> {
    Some(Schedule::parse(&["tue 14:00-16:00"], "UTC").unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_comes_out_of_hours_goes_when_the_destination_opens() {
    let mut stage = Setup { schedule: afternoons(), ..Setup::keep(Scripted::default()) }.start();
    let began = Instant::now();
    stage.accept(&["a1"]).await;
    let load = stage.load_when(|load| load.gate == GateState::Closed).await;
    assert_eq!(load.paused_until, Some(Timestamp::from_unix_ms(testing::NOON).plus(2 * HOUR)));
    stage.seen(1).await;
    let waited = began.elapsed();
    assert!(waited >= 2 * HOUR && waited < 2 * HOUR + Duration::from_secs(2), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn it_closes_at_its_hour_and_opens_in_the_next_week() {
    let patience = 8 * 24 * HOUR;
    let mut stage = Setup { schedule: afternoons(), patience, ..Setup::keep(Scripted::default()) }.start();
    let began = Instant::now();
    tokio::time::sleep(4 * HOUR + Duration::from_secs(60)).await;
    stage.accept(&["a1"]).await;
    stage.seen(1).await;
    let waited = began.elapsed();
    let opens = 7 * 24 * HOUR + 2 * HOUR;
    assert!(waited >= opens && waited < opens + Duration::from_secs(2), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_right_is_followed_soon() {
    let jump = Arc::new(AtomicI64::new(0));
    let (ahead, clock) = (Arc::clone(&jump), testing::clock());
    let clock =
        Clock::new(move || Timestamp::from_unix_ms(clock.now().as_unix_ms() + ahead.load(Ordering::SeqCst)));
    let mut stage = Setup { schedule: afternoons(), clock, ..Setup::keep(Scripted::default()) }.start();
    stage.accept(&["a1"]).await;
    stage.load_when(|load| load.gate == GateState::Closed).await;
    let began = Instant::now();
    jump.store(i64::try_from((2 * HOUR).as_millis()).unwrap(), Ordering::SeqCst);
    stage.seen(1).await;
    assert!(began.elapsed() <= Duration::from_secs(60), "{:?}", began.elapsed());
}
