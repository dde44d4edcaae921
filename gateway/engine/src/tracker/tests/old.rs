//! A log that was there before the tracker.

use postroom_core::{
    event::{MadeKind::*, Verdict},
    monitor::{BackupRule, PolicySettings, Silence},
    route::Pattern,
    time::Timestamp,
};
use postroom_store::IncidentState;

use super::{
    super::Tracking,
    desk::{DAY, Desk, HOUR, MINUTE, tracking},
};

fn ago(desk: &Desk, ms: std::time::Duration) -> Timestamp {
    Timestamp::from_unix_ms(desk.clock.now().as_unix_ms() - i64::try_from(ms.as_millis()).unwrap())
}

async fn upgraded() -> Desk {
    let silence = Some(Silence::After(HOUR));
    let remind_every = Some(Some(HOUR));
    let mut desk = Desk::new(tracking(PolicySettings { silence, remind_every, ..PolicySettings::default() }));
    for days in [3, 2, 1] {
        let at = ago(&desk, days * DAY);
        desk.run_at("gone", Verdict::Failed, at).await;
        desk.run_at("m", Verdict::Failed, at.plus(MINUTE)).await;
        desk.run_at("m", Verdict::Passed, at.plus(2 * MINUTE)).await;
    }
    let at = ago(&desk, 5 * HOUR);
    desk.run_at("m", Verdict::Failed, at).await;
    desk.start();
    desk.settle().await;
    desk
}

#[tokio::test(start_paused = true)]
async fn an_old_log_becomes_history_and_nobody_is_told() {
    let mut desk = upgraded().await;
    assert_eq!(desk.told(), []);
    let states: Vec<_> = desk.incidents().iter().map(|incident| incident.state).collect();
    use IncidentState::{Open, Resolved};
    assert_eq!(states, [Open, Resolved, Resolved, Resolved, Open]);
    assert_eq!(desk.monitor("m").counts.failed, 4);
    desk.wait(2 * DAY).await;
    assert_eq!(desk.told(), [], "what is only known of old times says nothing about now");
    desk.kill().await;
    desk.start();
    desk.wait(DAY).await;
    assert_eq!(desk.told(), [], "nor after a restart");
}

#[tokio::test(start_paused = true)]
async fn what_is_still_open_is_told_with_the_next_run() {
    let mut desk = upgraded().await;
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [IncidentOpened]);
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [IncidentOpened, IncidentResolved]);
}

#[tokio::test(start_paused = true)]
async fn what_was_never_told_is_not_resolved_either() {
    let mut desk = upgraded().await;
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), []);
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent], "from its first run on it is watched");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waited_for_the_store_is_not_old() {
    let mut desk = Desk::new(tracking(super::quiet()));
    desk.start();
    desk.settle().await;
    desk.store.fails.store(true, std::sync::atomic::Ordering::SeqCst);
    desk.run("m", Verdict::Failed).await;
    desk.wait(2 * HOUR).await;
    desk.store.fails.store(false, std::sync::atomic::Ordering::SeqCst);
    desk.wait(MINUTE).await;
    assert_eq!(desk.told_of("m"), [IncidentOpened]);
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_stays_away_since_before_is_told_after_an_hour() {
    let rule = BackupRule { collection: vec![Pattern::new("*").unwrap()], overdue_after: HOUR };
    let mut desk = Desk::new(Tracking { backups: vec![rule], ..tracking(super::quiet()) });
    desk.backup("c").await;
    desk.wait(DAY).await;
    desk.start();
    desk.wait(HOUR - MINUTE).await;
    assert_eq!(desk.told(), []);
    desk.wait(2 * MINUTE).await;
    assert_eq!(desk.told_of("c"), [BackupOverdue]);
}
