//! What failed, where somebody knows it.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use postroom_core::{
    event::{MadeKind, Verdict},
    monitor::{Identity, Run},
};
use serde_json::json;
use tokio::time::sleep;

use super::{
    super::{Enrich, Failure, Failures, Tracking},
    desk::{Desk, MINUTE, quiet, tracking},
};

/// Knows one failure of every run but those of "unknown", after some time; never of "slow".
#[derive(Debug)]
struct Knows(Duration);

impl Failures for Knows {
    fn of<'a>(&'a self, monitor: &'a Identity, _: &'a Run) -> BoxFuture<'a, Option<Vec<Failure>>> {
        Box::pin(async move {
            match monitor.uid.as_str() {
                "slow" => std::future::pending().await,
                "unknown" => None,
                name => {
                    sleep(self.0).await;
                    let error = Some("expected 200, got 500".to_owned());
                    Some(vec![Failure { name: format!("{name} answers"), request: None, error }])
                }
            }
        })
    }
}

fn asking(takes: Duration, wait: Duration) -> Tracking {
    let enrich = Some(Enrich { failures: Arc::new(Knows(takes)), wait });
    Tracking { enrich, ..tracking(quiet()) }
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn an_incident_says_what_failed() {
    let mut desk = Desk::new(asking(SECOND, 3 * SECOND));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.run("unknown", Verdict::Failed).await;
    desk.wait(2 * SECOND).await;
    let made = desk.made();
    assert_eq!(made[0].1["failures"], json!([{"name": "m answers", "error": "expected 200, got 500"}]));
    assert_eq!(made[1].1["failures"], json!(null));
    desk.run("m", Verdict::Passed).await;
    desk.settle().await;
    let (resolved, body) = &desk.made()[2];
    assert_eq!((resolved.subject.as_deref(), &body["failures"]), (Some("m"), &json!(null)));
}

#[tokio::test(start_paused = true)]
async fn what_is_told_does_not_wait_for_long() {
    let mut desk = Desk::new(asking(SECOND, 3 * SECOND));
    desk.start();
    for n in 0..20 {
        desk.run(&format!("m{n}"), Verdict::Failed).await;
    }
    desk.run("slow", Verdict::Failed).await;
    desk.wait(2 * SECOND).await;
    assert_eq!(desk.told(), []);
    desk.wait(SECOND).await;
    assert_eq!(desk.told().len(), 21);
    let with = desk.made().iter().filter(|(_, body)| body["failures"].is_array()).count();
    assert!(with >= 16, "answers that are there are not thrown away: {with}");
    // Once is enough: the next is not held up.
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    assert_eq!(desk.told_of("m"), [MadeKind::IncidentOpened]);
    desk.wait(MINUTE).await;
    desk.run("n", Verdict::Failed).await;
    desk.wait(2 * SECOND).await;
    assert!(desk.made().last().unwrap().1["failures"].is_array(), "after a while it is asked again");
}

#[tokio::test(start_paused = true)]
async fn with_no_time_nobody_is_asked() {
    let mut desk = Desk::new(asking(Duration::ZERO, Duration::ZERO));
    desk.start();
    desk.run("m", Verdict::Failed).await;
    desk.settle().await;
    assert_eq!(desk.made()[0].1["failures"], json!(null));
}
