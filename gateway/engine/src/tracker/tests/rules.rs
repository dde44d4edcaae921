//! Other settings while it follows.

use postroom_core::{
    event::{MadeKind::*, Verdict},
    monitor::{BackupRule, PolicySettings, Silence},
    route::Pattern,
};

use serde_json::json;

use super::{
    super::Tracking,
    desk::{DAY, Desk, HOUR, MINUTE, quiet, tracking},
};

fn silent_after_an_hour() -> PolicySettings {
    PolicySettings { silence: Some(Silence::After(HOUR)), ..PolicySettings::default() }
}

#[tokio::test(start_paused = true)]
async fn whoever_was_told_of_a_silence_is_told_when_other_settings_end_it() {
    let mut desk = Desk::new(tracking(silent_after_an_hour()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent]);
    desk.put(tracking(quiet()));
    desk.settle().await;
    assert_eq!(desk.monitor("m").cadence.silent_since, None);
    assert_eq!(desk.told_of("m"), [MonitorSilent, MonitorResumed]);
    let (resumed, body) = desk.made().pop().unwrap();
    assert_eq!((&body["silence"]["duration_s"], &body["caused_by"]), (&json!(7200), &json!(null)));
    assert_eq!(&*resumed.ordering_key, "postroom:tracker:silence:m");
    desk.run("m", Verdict::Passed).await;
    desk.wait(DAY).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent, MonitorResumed], "once");
}

#[tokio::test(start_paused = true)]
async fn a_silence_for_which_a_stopped_gateway_was_given_more_time_is_over_at_its_start() {
    let mut desk = Desk::new(tracking(silent_after_an_hour()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent]);
    desk.stop().await;
    desk.start();
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [MonitorSilent], "the same settings change nothing");
    desk.stop().await;
    desk.put(tracking(PolicySettings { silence: Some(Silence::After(DAY)), ..PolicySettings::default() }));
    desk.start();
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [MonitorSilent, MonitorResumed]);
    desk.wait(2 * DAY).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent, MonitorResumed, MonitorSilent]);
}

#[tokio::test(start_paused = true)]
async fn all_monitors_are_judged_by_new_settings() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    for n in 0..600 {
        desk.run(&format!("m{n}"), Verdict::Failed).await;
    }
    desk.wait(2 * HOUR).await;
    let reminding = PolicySettings { remind_every: Some(Some(HOUR)), ..quiet() };
    desk.put(tracking(reminding));
    desk.settle().await;
    assert!((0..600).all(|n| desk.told_of(&format!("m{n}")) == [IncidentOpened, IncidentReminder]));
}

#[tokio::test(start_paused = true)]
async fn settings_that_changed_while_it_was_away_hold_from_the_start() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.stop().await;
    desk.put(tracking(silent_after_an_hour()));
    desk.start();
    desk.wait(2 * HOUR).await;
    assert_eq!(desk.told_of("m"), [MonitorSilent]);
}

#[tokio::test(start_paused = true)]
async fn a_new_rule_for_backups_holds_for_collections_that_are_known() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.backup("c1").await;
    desk.wait(DAY).await;
    let of = |overdue_after| {
        let rule = BackupRule { collection: vec![Pattern::new("*").unwrap()], overdue_after };
        Tracking { backups: vec![rule], ..tracking(quiet()) }
    };
    desk.put(of(2 * DAY));
    desk.wait(DAY - MINUTE).await;
    assert_eq!(desk.told(), []);
    desk.wait(2 * MINUTE).await;
    assert_eq!(desk.told_of("c1"), [BackupOverdue]);
    desk.put(of(10 * DAY));
    desk.settle().await;
    let overdue = |desk: &Desk| desk.store.state().following().collections["c1"].watch.overdue_since;
    assert_eq!(overdue(&desk), None, "it may take longer now");
}

#[tokio::test(start_paused = true)]
async fn new_settings_hold_though_somebody_wants_something_at_the_same_time() {
    for _ in 0..8 {
        let mut desk = Desk::new(tracking(quiet()));
        desk.start();
        desk.run("m", Verdict::Passed).await;
        desk.wait(2 * HOUR).await;
        desk.put(tracking(silent_after_an_hour()));
        desk.mute("another", None).await;
        desk.settle().await;
        assert_eq!(desk.told_of("m"), [MonitorSilent]);
    }
}
