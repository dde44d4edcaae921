//! Clocks that jump, and gateways that were away.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use postroom_core::{
    event::{MadeKind, Verdict},
    monitor::{BackupRule, PolicySettings, Silence},
    route::Pattern,
    time::Timestamp,
};

use super::{
    super::Tracking,
    desk::{DAY, Desk, HOUR, MINUTE, tracking},
};
use crate::{Clock, testing};

const AFTER: Duration = Duration::from_secs(10 * 60);

fn silent_after() -> PolicySettings {
    PolicySettings { silence: Some(Silence::After(AFTER)), ..PolicySettings::default() }
}

/// A desk whose clock is so many milliseconds off.
fn desk() -> (Desk, Arc<AtomicI64>) {
    let (right, off) = (testing::clock(), Arc::new(AtomicI64::new(0)));
    let by = Arc::clone(&off);
    let clock =
        Clock::new(move || Timestamp::from_unix_ms(right.now().as_unix_ms() + by.load(Ordering::SeqCst)));
    (Desk::with_clock(tracking(silent_after()), clock), off)
}

fn ms(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_makes_nobody_silent() {
    for jump in [ms(DAY), -ms(DAY), ms(HOUR)] {
        let (mut desk, off) = desk();
        desk.start();
        for n in 0..6 {
            if n == 3 {
                off.store(jump, Ordering::SeqCst);
            }
            for uid in ["a", "b", "c"] {
                desk.run(uid, Verdict::Passed).await;
            }
            desk.wait(5 * MINUTE).await;
        }
        assert_eq!(desk.told(), [], "a jump of {jump} ms");
        desk.wait(2 * AFTER).await;
        assert_eq!(desk.told().len(), 3, "what stops afterwards is found all the same");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_jumps_while_nothing_happens_makes_nobody_silent() {
    let (mut desk, off) = desk();
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.wait(MINUTE).await;
    off.store(ms(DAY), Ordering::SeqCst);
    desk.wait(5 * MINUTE).await;
    assert_eq!(desk.told(), []);
    desk.wait(AFTER).await;
    assert_eq!(desk.told_of("m"), [MadeKind::MonitorSilent]);
}

/// Starts a gateway again that was away for so long, and says how long it took then until a monitor was silent whose last
/// run came just before.
async fn silent_after_away(away: Duration, stopped: bool) -> Duration {
    let mut desk = Desk::new(tracking(silent_after()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.wait(3 * MINUTE).await;
    if stopped {
        desk.stop().await
    } else {
        desk.kill().await
    }
    desk.wait(away).await;
    desk.start();
    let mut waited = Duration::ZERO;
    while desk.told().is_empty() {
        desk.wait(Duration::from_secs(1)).await;
        waited += Duration::from_secs(1);
        assert!(waited < DAY);
    }
    waited
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_away_for_long_begins_to_listen_anew() {
    for stopped in [true, false] {
        assert!(silent_after_away(9 * HOUR, stopped).await >= AFTER, "{stopped}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_was_away_for_a_moment_adds_only_that() {
    assert!(silent_after_away(Duration::from_secs(5), true).await < AFTER - 2 * MINUTE);
    // So long, of ten minutes, may have hidden a run.
    assert!(silent_after_away(Duration::from_secs(20), false).await >= AFTER);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_took_nothing_for_long_made_nobody_silent() {
    let (mut desk, _) = desk();
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.store.fails.store(true, Ordering::SeqCst);
    desk.wait(HOUR).await;
    desk.store.fails.store(false, Ordering::SeqCst);
    desk.wait(5 * MINUTE).await;
    assert_eq!(desk.told(), []);
    desk.wait(AFTER).await;
    assert_eq!(desk.told_of("m"), [MadeKind::MonitorSilent]);
}

#[tokio::test(start_paused = true)]
async fn a_run_left_over_from_before_it_was_away_makes_nothing_else_history() {
    let mut desk = Desk::new(tracking(silent_after()));
    desk.start();
    desk.run("dies", Verdict::Passed).await;
    desk.settle().await;
    desk.kill().await;
    desk.run("m", Verdict::Failed).await;
    desk.wait(3 * HOUR).await;
    desk.start();
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("dies"), [MadeKind::MonitorSilent]);
    assert_eq!(desk.told_of("m"), [MadeKind::IncidentOpened, MadeKind::MonitorSilent], "it is open still");
}

#[tokio::test(start_paused = true)]
async fn a_backup_is_told_once_though_the_clock_is_set_back() {
    let (mut desk, off) = desk();
    let rule = BackupRule { collection: vec![Pattern::new("*").unwrap()], overdue_after: 3 * HOUR };
    desk.put(Tracking { backups: vec![rule], ..tracking(silent_after()) });
    desk.start();
    desk.backup("c").await;
    desk.wait(4 * HOUR).await;
    assert_eq!(desk.told_of("c"), [MadeKind::BackupOverdue]);
    desk.stop().await;
    off.store(-5000, Ordering::SeqCst);
    desk.start();
    desk.wait(5 * HOUR).await;
    assert_eq!(desk.told_of("c"), [MadeKind::BackupOverdue]);
}
