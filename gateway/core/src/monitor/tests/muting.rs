use std::sync::Arc;

use super::*;
use crate::schedule::Schedule;

const HOUR: i64 = 3600;

fn mute(tracked: &mut Tracked, until: Timestamp) {
    tracked.monitor.mute = Some(Mute { until, by: "ops".to_owned(), reason: None });
}

#[test]
fn what_opens_while_muted_is_told_when_that_ends() {
    let mut tracked = Tracked::new(Policy::default());
    mute(&mut tracked, second(HOUR));
    assert_eq!(words(&tracked.run(Verdict::Failed, second(60))), "opened");
    assert_eq!(words(&tracked.run(Verdict::Failed, second(120))), "");
    assert_eq!(tracked.due(second(120)), Some(second(HOUR)));
    assert_eq!(words(&tracked.tick(second(HOUR - 1))), "");
    let effects = tracked.tick(second(HOUR));
    assert!(
        matches!(&effects[..], [Effect::Opened(told)] if told.announced && told.id == incident(1) && told.failed_runs == 2),
        "{effects:?}"
    );
    assert_eq!(words(&tracked.run(Verdict::Passed, second(HOUR + 60))), "RESOLVED");
}

#[test]
fn what_resolves_while_muted_was_never_there() {
    let mut tracked = Tracked::new(Policy::default());
    mute(&mut tracked, second(HOUR));
    assert_eq!(words(&tracked.run(Verdict::Failed, second(60))), "opened");
    assert_eq!(words(&tracked.run(Verdict::Passed, second(120))), "resolved");
    assert_eq!(words(&tracked.tick(second(HOUR))), "");
}

#[test]
fn what_was_told_before_is_taken_back_while_muted() {
    let mut tracked = Tracked::new(Policy { remind_every: Some(seconds(600)), ..Policy::default() });
    assert_eq!(words(&tracked.run(Verdict::Failed, second(60))), "OPENED");
    mute(&mut tracked, second(HOUR));
    assert_eq!(words(&tracked.tick(second(1000))), "");
    assert_eq!(words(&tracked.run(Verdict::Passed, second(1200))), "RESOLVED");
    assert_eq!(words(&tracked.run(Verdict::Failed, second(1300))), "opened");
}

#[test]
fn a_run_after_the_mute_tells_what_opened_in_it() {
    let mut tracked = Tracked::new(Policy::default());
    mute(&mut tracked, second(HOUR));
    tracked.run(Verdict::Failed, second(60));
    assert_eq!(words(&tracked.run(Verdict::Failed, second(HOUR + 60))), "OPENED");
}

#[test]
fn maintenance_mutes_every_week() {
    // The epoch was a Thursday.
    let maintenance = Schedule::parse(&["thu 02:00-03:00"], "UTC").unwrap();
    let mut tracked = Tracked::new(Policy { maintenance: Some(Arc::new(maintenance)), ..Policy::default() });
    assert_eq!(words(&tracked.run(Verdict::Failed, second(HOUR))), "OPENED");
    assert_eq!(words(&tracked.run(Verdict::Passed, second(HOUR + 60))), "RESOLVED");
    assert_eq!(words(&tracked.run(Verdict::Failed, second(2 * HOUR))), "opened");
    assert_eq!(tracked.due(second(2 * HOUR)), Some(second(3 * HOUR)));
    assert_eq!(words(&tracked.tick(second(3 * HOUR))), "OPENED");
    let always = Schedule::parse(&["mon-sun 00:00-24:00"], "UTC").unwrap();
    let mut tracked = Tracked::new(Policy { maintenance: Some(Arc::new(always)), ..Policy::default() });
    assert_eq!(words(&tracked.run(Verdict::Failed, second(HOUR))), "opened");
    assert_eq!(tracked.due(second(HOUR)), None);
}

#[test]
fn silence_while_muted_is_told_when_that_ends() {
    let policy = Policy { silence: Silence::After(seconds(600)), ..Policy::default() };
    let mut tracked = Tracked::new(policy);
    tracked.run(Verdict::Passed, second(0));
    mute(&mut tracked, second(HOUR));
    assert_eq!(tracked.due(second(0)), Some(second(600)));
    assert_eq!(words(&tracked.tick(second(600))), "");
    assert_eq!(tracked.monitor.cadence.silent_since, Some(second(0)));
    assert_eq!(tracked.due(second(600)), Some(second(HOUR)));
    assert_eq!(words(&tracked.tick(second(HOUR))), "SILENT");
    assert_eq!(words(&tracked.run(Verdict::Passed, second(HOUR + 1))), "RESUMED");

    mute(&mut tracked, second(3 * HOUR));
    tracked.tick(second(2 * HOUR));
    assert_eq!(words(&tracked.run(Verdict::Passed, second(2 * HOUR + 1))), "");
    assert_eq!(words(&tracked.tick(second(2 * HOUR + 2))), "");

    tracked.tick(second(2 * HOUR + 700));
    tracked.policy.silence = Silence::Never;
    assert_eq!(words(&tracked.tick(second(3 * HOUR))), "");
    assert_eq!((tracked.monitor.cadence.silent_since, tracked.due(second(3 * HOUR))), (None, None));
}

#[test]
fn the_end_of_what_was_told_of_a_forgotten_monitor_is_told() {
    let policy = Policy { silence: Silence::After(seconds(600)), ..Policy::default() };
    let mut tracked = Tracked::new(policy);
    assert_eq!(words(&tracked.run(Verdict::Failed, second(60))), "OPENED");
    assert_eq!(words(&tracked.tick(second(1000))), "SILENT");
    mute(&mut tracked, second(HOUR));
    let effects = tracked.monitor.forget("ann", second(1200));
    assert_eq!(words(&effects), "RESOLVED RESUMED");
    let Effect::Resolved { at, by, .. } = &effects[0] else { panic!("{effects:?}") };
    assert_eq!((*at, by), (second(1200), &ResolvedBy::Forgotten { by: "ann".to_owned() }));
    assert_eq!(tracked.monitor.forget("ann", second(1300)), [], "once");
}

#[test]
fn of_a_forgotten_monitor_of_which_nothing_was_told_nothing_is_told() {
    let mut tracked = Tracked::new(Policy::default());
    mute(&mut tracked, second(HOUR));
    assert_eq!(words(&tracked.run(Verdict::Failed, second(60))), "opened");
    assert_eq!(words(&tracked.monitor.forget("ann", second(120))), "resolved");
}
