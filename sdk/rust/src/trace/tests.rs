use serde::Deserialize;
use serde_json::{Value, json};
use tracing::{Level as TracingLevel, debug, error, event, info, info_span, warn};

use crate::{
    CreateError, Delivery, Event, Failure, Host, Level, Outcome, Plugin, Secret,
    testing::{EventFixture, LogLine, PluginHarness},
    tokio,
};

struct Talks;

#[derive(Deserialize)]
struct Config {}

impl Plugin for Talks {
    type Config = Config;

    async fn create(_: Host, _: Config) -> Result<Self, CreateError> {
        info!("created");
        Ok(Self)
    }

    async fn deliver(&self, event: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        match event.kind() {
            "fields" => {
                let span = info_span!("page", pager = "a", tries = tracing::field::Empty);
                span.record("tries", 2);
                let _entered = span.enter();
                warn!(token = ?Secret::new("hunter2"), ok = false, share = 0.5, n = -1, "took {} ms", 7);
            }
            "loud values" => {
                let span = info_span!("page", who = tracing::field::Empty);
                let _entered = span.enter();
                span.record("who", tracing::field::debug(Loud));
                info!("recorded");
            }
            "later" => {
                tokio::task::yield_now().await;
                debug!("later");
            }
            "elsewhere" => {
                tokio::task::spawn_blocking(|| info!("on a blocking thread")).await.unwrap();
                tokio::spawn(async { info!("in a task") }).await.unwrap();
            }
            _ => {
                event!(target: "h2::client", TracingLevel::INFO, "authorization: hunter2");
                event!(target: "postroom_sdkx", TracingLevel::INFO, "authorization: hunter2");
                event!(target: "h2::client", TracingLevel::WARN, "gone away");
                error!(reason = "no message");
            }
        }
        Ok(Outcome::delivered())
    }
}

/// Logs while it is formatted.
struct Loud;

impl std::fmt::Debug for Loud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        info!("formatted");
        f.write_str("loud")
    }
}

/// What was logged by one delivery.
fn lines(kind: &str) -> Vec<LogLine> {
    let harness = PluginHarness::<Talks>::builder().start().unwrap();
    let before = harness.logs().len();
    let _outcome = harness.deliver(&EventFixture::raw(kind, ""));
    harness.logs().split_off(before)
}

#[test]
fn a_line_has_level_target_fields_and_delivery() {
    let lines = lines("fields");
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((line.level, line.in_delivery, line.message.as_str()), (Level::Warn, true, "took 7 ms"));
    assert_eq!(line.target, "postroom_sdk::trace::tests");
    let fields: Value = serde_json::from_str(&line.fields_json).unwrap();
    let expected =
        json!({ "pager": "a", "tries": 2, "token": "Secret(***)", "ok": false, "share": 0.5, "n": -1 });
    assert_eq!(fields, expected);
}

#[test]
fn what_comes_after_a_wait_still_belongs_to_its_delivery() {
    assert!(lines("later")[0].in_delivery);
}

#[test]
fn every_thread_of_the_instance_is_heard() {
    let said = |lines: &[LogLine]| lines.iter().map(|line| line.message.clone()).collect::<Vec<_>>();
    let harness = PluginHarness::<Talks>::builder().start().unwrap();
    assert_eq!(said(&harness.logs()), ["created"]);
    assert!(!harness.logs()[0].in_delivery);
    assert_eq!(said(&lines("elsewhere")), ["on a blocking thread", "in a task"]);
}

#[test]
fn of_other_crates_only_warnings_pass() {
    let lines = lines("others");
    let messages: Vec<&str> = lines.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(messages[0], "gone away");
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[1].fields_json, r#"{"reason":"no message"}"#);
}

#[test]
fn a_value_may_log_while_it_is_recorded() {
    let lines = lines("loud values");
    let told: Vec<_> = lines.iter().map(|line| (line.message.as_str(), line.fields_json.as_str())).collect();
    assert_eq!(told, [("formatted", ""), ("recorded", r#"{"who":"loud"}"#)]);
}
