//! Rows and files that cannot be read.

use postroom_core::{
    event::{MadeKind::*, Verdict},
    monitor::{Identity, Numbers, Run, Watch},
};
use postroom_store::IncidentState;

use super::{
    super::work::Work,
    desk::{Desk, HOUR, MINUTE, quiet, tracking},
};

#[tokio::test(start_paused = true)]
async fn a_body_or_a_record_that_cannot_be_read_holds_up_nobody() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    desk.store.state().make_unreadable();
    desk.run("m", Verdict::Failed).await;
    desk.run("other", Verdict::Failed).await;
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("other"), [IncidentOpened]);
    assert_eq!(desk.told_of("m"), [IncidentOpened, IncidentResolved]);
    assert_eq!(desk.monitor("m").counts.failed, 2);
    assert_eq!(desk.monitor("m").last_run.unwrap().numbers, Numbers::default());
    let incident = desk.incidents().into_iter().find(|incident| incident.monitor == "m").unwrap();
    assert_eq!((incident.state, incident.failed_runs), (IncidentState::Resolved, 2));
}

#[tokio::test(start_paused = true)]
async fn a_mute_that_finds_nothing_to_read_holds_up_nobody() {
    let mut desk = Desk::new(tracking(quiet()));
    desk.start();
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    desk.store.state().make_unreadable();
    let until = desk.clock.now().plus(HOUR);
    for _ in 0..10 {
        desk.asked_to_mute("m", Some(until)).await.unwrap_err();
    }
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [IncidentOpened], "at once: the tracker itself has not failed");
    desk.wait(MINUTE).await;
}

#[test]
fn what_a_run_does_not_name_is_as_it_was() {
    let identity = |name: Option<&str>, collection: Option<&str>| Identity {
        uid: "m".to_owned(),
        name: name.map(str::to_owned),
        collection_name: collection.map(str::to_owned),
        collection_id: None,
        environment_name: None,
        environment_id: None,
        source: postroom_core::id::SourceName::new("acme"),
        labels: Default::default(),
    };
    let mut work = Work::default();
    let event = postroom_core::id::EventId::from_bytes([1; 16]);
    let at = postroom_core::time::Timestamp::from_unix_ms(0);
    let mut run = |identity| {
        let run = Run { event, at, verdict: Verdict::Passed, numbers: Numbers::default() };
        work.run(identity, run, |identity| (tracking(quiet()).rules.policy(identity), Watch::always()));
        work.monitors[0].monitor.identity.clone()
    };
    run(identity(Some("shop"), Some("orders")));
    assert_eq!(run(identity(None, Some("baskets"))), identity(Some("shop"), Some("baskets")));
    assert_eq!(run(identity(None, None)), identity(Some("shop"), Some("baskets")));
}
