//! The tracker over a store in memory with paused time.

mod asking;
mod clocks;
mod crash;
mod damaged;
mod desk;
mod forgotten;
mod muted;
mod old;
mod rules;
mod sequences;

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use postroom_core::{
    event::{Kind, MadeKind, Verdict},
    monitor::{BackupRule, PolicySettings, Severity, Silence},
    route::Pattern,
};
use postroom_store::IncidentState;
use serde_json::json;
use tokio::time::sleep;

use self::desk::{Desk, HOUR, MINUTE, PAGER, quiet, tracking};
use super::{ALIVE_EVERY, PART_MAX};

#[tokio::test(start_paused = true)]
async fn a_failed_run_opens_an_incident_and_a_passed_one_resolves_it() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    let failed = desk.run("m", Verdict::Failed).await;
    desk.wait(MINUTE).await;
    let passed = desk.run("m", Verdict::Passed).await;
    desk.settle().await;

    assert_eq!(desk.told_of("m"), [MadeKind::IncidentOpened, MadeKind::IncidentResolved]);
    let [incident] = &desk.incidents()[..] else { panic!("one incident") };
    assert_eq!((incident.state, incident.severity), (IncidentState::Resolved, Severity::Error));
    assert_eq!(incident.resolved_by.unwrap().event, passed);
    assert_eq!((incident.runs, incident.failed_runs), (2, 1));
    let timeline: Vec<_> = incident.timeline.iter().map(|entry| (entry.what.as_str(), entry.event)).collect();
    let made = desk.made();
    assert_eq!(timeline, [("opened", Some(made[0].0.id)), ("resolved", Some(made[1].0.id))]);

    let (opened, body) = &made[0];
    assert_eq!((opened.hops, opened.verdict), (1, Some(Verdict::Failed)));
    assert_eq!(opened.source.as_str(), "postroom:tracker");
    assert_eq!(opened.labels["team"], "payments", "routes by label lead to it");
    assert_eq!(body["caused_by"], failed.to_string());
    assert_eq!(body["incident"]["id"], incident.id.to_string());
    let (resolved, body) = &made[1];
    assert_eq!(resolved.verdict, Some(Verdict::Passed));
    assert_eq!(
        (&body["caused_by"], &body["incident"]["duration_s"]),
        (&json!(passed.to_string()), &json!(60))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_told_is_routed_and_never_followed() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    let deliveries = desk.store.state().destinations();
    assert_eq!(deliveries, [PAGER]);
    let monitors: Vec<_> = desk.store.state().following().monitors.keys().cloned().collect();
    assert_eq!(monitors, ["m"], "an event about a monitor is no run of one");
}

#[tokio::test(start_paused = true)]
async fn runs_are_kept_with_their_numbers() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    let event = desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    let state = desk.store.state();
    let [run] = &state.following().runs["m"][..] else { panic!("one run") };
    assert_eq!((run.event, run.verdict), (event, Verdict::Passed));
    assert_eq!((run.numbers.requests, run.numbers.latency_mean_ms()), (Some(4), Some(25.0)));
}

#[tokio::test(start_paused = true)]
async fn many_runs_are_few_changes() {
    let mut desk = Desk::new(tracking(quiet()));
    for n in 0..PART_MAX + 10 {
        desk.run(&format!("m{}", n % 10), Verdict::Passed).await;
    }
    desk.start();
    desk.settle().await;
    assert_eq!(desk.monitor("m3").counts.passed, (PART_MAX as u64 + 10).div_ceil(10));
    assert_eq!(desk.kept(), 2, "two parts, and nothing for monitors that need no look");
}

#[tokio::test(start_paused = true)]
async fn a_run_after_a_rest_is_told_at_once_and_those_close_behind_it_together() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.settle().await;
    let before = desk.kept();
    desk.run("first", Verdict::Failed).await;
    sleep(Duration::from_millis(1)).await;
    assert_eq!(desk.told_of("first"), [MadeKind::IncidentOpened]);
    for n in 0..20 {
        desk.run(&format!("m{n}"), Verdict::Failed).await;
        sleep(Duration::from_millis(10)).await;
    }
    assert_eq!((desk.told().len(), desk.kept()), (1, before + 1));
    desk.settle().await;
    assert_eq!((desk.told().len(), desk.kept()), (21, before + 2));
}

#[tokio::test(start_paused = true)]
async fn a_reminder_comes_though_nothing_happens() {
    let every = PolicySettings { remind_every: Some(Some(HOUR)), ..quiet() };
    let mut desk = Desk::new(tracking(every));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.wait(2 * HOUR + MINUTE).await;
    use MadeKind::{IncidentOpened, IncidentReminder};
    assert_eq!(desk.told_of("m"), [IncidentOpened, IncidentReminder, IncidentReminder]);
    let (_, reminder) = &desk.made()[2];
    assert_eq!((&reminder["incident"]["reminders"], &reminder["caused_by"]), (&json!(2), &json!(null)));
}

#[tokio::test(start_paused = true)]
async fn a_monitor_that_stops_is_silent_until_it_comes_again() {
    let silence = Some(Silence::After(10 * MINUTE));
    let mut desk = Desk::new(tracking(PolicySettings { silence, ..PolicySettings::default() }));
    desk.start();
    for _ in 0..3 {
        desk.run("m", Verdict::Passed).await;
        desk.wait(5 * MINUTE).await;
    }
    assert_eq!(desk.told_of("m"), []);
    desk.wait(HOUR).await;
    assert_eq!(desk.told_of("m"), [MadeKind::MonitorSilent], "once");
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [MadeKind::MonitorSilent, MadeKind::MonitorResumed]);
    let (_, silent) = &desk.made()[0];
    assert_eq!(silent["silence"]["expected_every_s"], 600);
}

#[tokio::test(start_paused = true)]
async fn incidents_silences_and_backups_are_in_lanes_of_their_own() {
    let silence = Some(Silence::After(10 * MINUTE));
    let rule = BackupRule { collection: vec![Pattern::new("*").unwrap()], overdue_after: HOUR };
    let settings = tracking(PolicySettings { silence, ..PolicySettings::default() });
    let mut desk = Desk::new(super::Tracking { backups: vec![rule], ..settings });
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.backup("m").await;
    desk.wait(2 * HOUR).await;
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    // Where only the newest of each lane is left, that is the end of the incident and the end of the silence.
    let newest: BTreeMap<_, _> =
        desk.made().into_iter().map(|(event, _)| (event.ordering_key.to_string(), event.kind)).collect();
    let expected = [
        ("postroom:tracker:backup:m", MadeKind::BackupOverdue),
        ("postroom:tracker:incident:m", MadeKind::IncidentResolved),
        ("postroom:tracker:silence:m", MadeKind::MonitorResumed),
    ];
    assert_eq!(newest, expected.map(|(lane, kind)| (lane.to_owned(), Kind::Made(kind))).into());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_is_read_anew_when_it_works() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.settle().await;
    desk.store.fails.store(true, Ordering::SeqCst);
    desk.run("m", Verdict::Failed).await;
    desk.wait(HOUR).await;
    assert_eq!(desk.told(), []);
    desk.store.fails.store(false, Ordering::SeqCst);
    desk.wait(MINUTE).await;
    assert_eq!(desk.told_of("m"), [MadeKind::IncidentOpened]);
}

#[tokio::test(start_paused = true)]
async fn an_idle_gateway_gives_a_sign_of_life_and_nothing_else() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.wait(10 * ALIVE_EVERY).await;
    assert_eq!(desk.kept(), 10);
    let now = desk.clock.now();
    desk.stop().await;
    assert_eq!(desk.store.state().following().mark.alive.as_ref().unwrap().at, now, "also at the very end");
}

#[tokio::test(start_paused = true)]
async fn turned_off_it_follows_nothing_and_turned_on_it_goes_on() {
    let off = super::Tracking { enabled: false, ..tracking(quiet()) };
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.put(off);
    desk.settle().await;
    let kept = desk.kept();
    desk.run("m", Verdict::Failed).await;
    desk.wait(10 * MINUTE).await;
    assert_eq!(desk.kept(), kept);
    desk.put(tracking(quiet()));
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [MadeKind::IncidentOpened]);
    assert_eq!(desk.monitor("m").counts.passed, 1, "nothing counts twice");
}

#[tokio::test(start_paused = true)]
async fn a_backup_that_stays_away_is_told_once() {
    let rule = BackupRule { collection: vec![Pattern::new("c*").unwrap()], overdue_after: 8 * HOUR };
    let mut desk = Desk::new(super::Tracking { backups: vec![rule], ..tracking(quiet()) });
    desk.start();
    let backup = desk.backup("c1").await;
    desk.backup("other").await;
    desk.wait(7 * HOUR).await;
    desk.backup("c1").await;
    desk.wait(7 * HOUR).await;
    assert_eq!(desk.told(), []);
    desk.wait(30 * HOUR).await;
    let made = desk.made();
    let [(event, body)] = &made[..] else { panic!("{made:?}") };
    assert_eq!((event.kind, event.subject.as_deref()), (Kind::Made(MadeKind::BackupOverdue), Some("c1")));
    assert_ne!(body["collection"]["last_backup"]["event_id"], backup.to_string());
    desk.backup("c1").await;
    desk.wait(9 * HOUR).await;
    assert_eq!(desk.told().len(), 2, "the next one that stays away is told again");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_nothing_for_long() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.settle().await;
    desk.store.fails.store(true, Ordering::SeqCst);
    tokio::time::timeout(Duration::from_secs(2), desk.stop()).await.unwrap();
}
