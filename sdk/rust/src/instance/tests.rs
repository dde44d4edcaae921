use std::{
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::Duration,
};

use serde::Deserialize;
use serde_json::json;
use tokio::sync::Notify;

use super::plain_code;
use crate::{
    CreateError, Delivery, Event, Failure, Health, Host, Level, Outcome, Plugin, Report, SecretRef, Verdict,
    testing::{EventFixture, HarnessBuilder, OutcomeKind, PluginHarness, StartError},
};

/// Does what its config says, so that one type serves every test.
struct Scripted {
    config: Config,
    /// Woken when an event with the kind `wake` comes.
    wake: Notify,
    kept: Arc<Mutex<Vec<Event>>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    panic_in: String,
    #[serde(default)]
    refuse: String,
    #[serde(default)]
    token: Option<SecretRef>,
    #[serde(default)]
    health: String,
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("in drop");
    }
}

impl Plugin for Scripted {
    type Config = Config;

    fn validate(config: &Config, report: &mut Report) {
        if config.panic_in == "validate" {
            panic!("in validate");
        }
        if config.refuse == "validate" {
            report.error("/refuse", "must not be validate");
        }
        if config.health == "odd" {
            report.warning("/health", "odd, but taken");
        }
    }

    async fn create(_: Host, config: Config) -> Result<Self, CreateError> {
        if config.panic_in == "create" {
            panic!("in {}", config.panic_in);
        }
        match config.refuse.as_str() {
            "config" => Err(CreateError::config("no such mode")),
            "unavailable" => Err(CreateError::unavailable("no disk")),
            _ => Ok(Self { config, wake: Notify::new(), kept: Arc::default() }),
        }
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        match event.kind() {
            "panic" => panic!("in deliver"),
            "panic_later" => {
                tokio::task::yield_now().await;
                std::panic::panic_any(7);
            }
            "panic_in_drop" => {
                let _guard = PanicsInDrop;
                future::pending().await
            }
            "never" => future::pending().await,
            "wait" => self.wake.notified().await,
            "wake" => self.wake.notify_one(),
            "keep" => self.kept.lock().unwrap().push(event.clone()),
            "forget" => self.kept.lock().unwrap().clear(),
            "blocking" => {
                let body = event.shared_body();
                let sum = tokio::task::spawn_blocking(move || {
                    body.iter().map(|byte| u64::from(*byte)).sum::<u64>()
                });
                return Ok(Outcome::delivered().with_record(json!({ "sum": sum.await.unwrap() })));
            }
            "secret" => {
                let secret = delivery.host().secret(self.config.token.as_ref().unwrap())?;
                return Ok(Outcome::delivered().with_message(format!("{} {secret:?}", secret.expose().len())));
            }
            "log" => {
                delivery.log().warn(format_args!("{} left", 3));
                delivery.host().log().line_with(Level::Debug, "once", &json!({ "n": 1 }));
            }
            "limited" => return Err(Failure::rate_limited(Duration::from_secs(9), "slow down")),
            "code" => return Err(Failure::permanent("No Such-Field", "gone")),
            _ => {
                return Ok(Outcome::delivered().with_record(json!({
                    "id": event.id(),
                    "subject": event.subject(),
                    "verdict": event.verdict().map(Verdict::as_str),
                    "source": event.source(),
                    "content_type": event.content_type(),
                    "label": event.label("team"),
                    "labels": event.labels().count(),
                    "attempt": event.attempt(),
                    "body": String::from_utf8_lossy(event.body()),
                    "time_left_ms": u64::try_from(delivery.time_left().as_millis()).unwrap(),
                })));
            }
        }
        Ok(Outcome::delivered())
    }

    fn health(&self) -> Health {
        match self.config.health.as_str() {
            "bad" => Health::Unavailable("no disk".to_owned()),
            "panic" => panic!("in health"),
            _ => Health::Ok,
        }
    }

    async fn drain(&self) {
        if self.config.panic_in == "drain" {
            panic!("in drain");
        }
        if self.config.refuse == "drain" {
            future::pending().await
        }
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        if self.config.panic_in == "drop" {
            panic!("in drop of the plugin");
        }
    }
}

fn builder() -> HarnessBuilder<Scripted> {
    PluginHarness::builder()
}

fn start() -> PluginHarness<Scripted> {
    builder().start().unwrap()
}

fn event(kind: &str) -> EventFixture {
    EventFixture::raw(kind, "body")
}

#[test]
fn an_event_arrives_whole() {
    let fixture =
        EventFixture::monitor_run(1).label("team", "payments").label("stage", "live").attempt(3).body("{}");
    let record = start().deliver(&fixture).record.unwrap();
    assert_eq!(
        record,
        json!({
            "id": "01940000-0000-7000-8000-000000000001",
            "subject": "1e8eea47-e976-4b60-a122-11a5ba65085a",
            "verdict": "failed",
            "source": "test",
            "content_type": "application/json",
            "label": "payments",
            "labels": 2,
            "attempt": 3,
            "body": "{}",
            "time_left_ms": 30_000,
        })
    );
}

#[test]
fn what_is_not_known_of_an_event_is_none() {
    let record = start().deliver(&EventFixture::raw("other", "").content_type("")).record.unwrap();
    for field in ["subject", "verdict", "content_type", "label"] {
        assert!(record[field].is_null(), "{field}");
    }
}

#[test]
fn a_panic_in_deliver_is_a_retry_and_the_instance_lives_on() {
    let harness = start();
    for (kind, message) in [("panic", "in deliver"), ("panic_later", "a panic without a message")] {
        let outcome = harness.deliver(&event(kind));
        assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "panic"));
        assert_eq!(outcome.message, format!("the plugin panicked: {message}"));
    }
    assert_eq!(harness.deliver(&event("other")).kind, OutcomeKind::Delivered);
    check_all_completed(harness, 0);
}

#[test]
fn panics_elsewhere_are_refusals() {
    let fault = match builder().config(json!({ "panic_in": "validate" })).start() {
        Err(StartError::Config(faults)) => faults.into_iter().next().unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(fault.message, "the plugin panicked while it checked its config: in validate");
    let refused = builder().config(json!({ "panic_in": "create" })).start().unwrap_err();
    assert_eq!(refused, StartError::Panicked("the plugin panicked while it started: in create".to_owned()));
    let harness = builder().config(json!({ "health": "panic" })).start().unwrap();
    assert_eq!(harness.health(), Health::Unavailable("the plugin panicked: in health".to_owned()));
}

#[test]
fn panics_at_the_end_change_nothing() {
    let harness = builder().config(json!({ "panic_in": "drop" })).start().unwrap();
    drop(harness.start_delivery(&event("panic_in_drop")));
    check_all_completed(harness, 0);
    let harness = builder().config(json!({ "panic_in": "drain" })).start().unwrap();
    harness.drain(Duration::from_secs(1));
    assert_eq!(harness.logs()[0].message, "drain panicked: in drain");
    check_all_completed(harness, 0);
}

#[test]
fn drain_does_not_outlast_its_deadline() {
    let harness = builder().config(json!({ "refuse": "drain" })).start().unwrap();
    harness.drain(Duration::from_millis(1));
    assert_eq!(harness.logs()[0].message, "drain did not end in time");
}

#[test]
fn refusals_say_who_must_act() {
    let refused = |refuse: &str| builder().config(json!({ "refuse": refuse })).start().unwrap_err();
    let create = |config, message: &str| StartError::Create { config, message: message.to_owned() };
    assert_eq!(refused("config"), create(true, "no such mode"));
    assert_eq!(refused("unavailable"), create(false, "no disk"));
    assert!(matches!(refused("validate"), StartError::Config(faults) if faults[0].path == "/refuse"));
    let unknown = PluginHarness::<Scripted>::validate(&json!({ "panic_inn": "" }));
    assert_eq!(unknown[0].path, "/panic_inn");
    let warnings = PluginHarness::<Scripted>::warnings(&json!({ "health": "odd" }));
    assert_eq!(warnings[0].to_string(), "/health: odd, but taken");
}

#[test]
fn a_cancelled_delivery_is_completed_once_and_stale() {
    let harness = start();
    let cancelled = harness.start_delivery(&event("never"));
    harness.cancel(&cancelled);
    assert_eq!(cancelled.wait(), None);
    check_all_completed(harness, 1);
}

#[test]
fn a_panic_while_a_cancelled_future_is_dropped_is_caught() {
    let harness = start();
    let cancelled = harness.start_delivery(&event("panic_in_drop"));
    assert_eq!(harness.deliver(&event("other")).kind, OutcomeKind::Delivered);
    harness.cancel(&cancelled);
    check_all_completed(harness, 1);
}

#[test]
fn cancelling_what_has_ended_does_nothing() {
    let harness = start();
    let done = harness.start_delivery(&event("other"));
    assert_eq!(harness.deliver(&event("other")).kind, OutcomeKind::Delivered);
    harness.cancel(&done);
    check_all_completed(harness, 0);
}

#[test]
fn what_is_in_flight_at_the_end_is_completed() {
    let harness = start();
    let open = harness.start_delivery(&event("never"));
    let shut_down = harness.shut_down();
    assert_eq!((shut_down.stale_completions, shut_down.never_completed), (0, 0));
    let outcome = open.wait().unwrap();
    assert_eq!((outcome.kind, outcome.code.as_str()), (OutcomeKind::Retry, "dropped"));
}

#[track_caller]
fn check_all_completed(harness: PluginHarness<Scripted>, stale: usize) {
    let shut_down = harness.shut_down();
    assert_eq!((shut_down.stale_completions, shut_down.never_completed), (stale, 0));
}

#[test]
fn deliveries_run_side_by_side() {
    let harness = start();
    let waiting = harness.start_delivery(&event("wait"));
    assert_eq!(harness.deliver(&event("wake")).kind, OutcomeKind::Delivered);
    assert_eq!(waiting.wait().unwrap().kind, OutcomeKind::Delivered);
}

#[test]
fn a_delivery_ends_when_the_last_clone_of_its_event_is_gone() {
    let harness = start();
    let kept = harness.start_delivery(&event("keep"));
    // It has run before this one, and still it is open.
    assert_eq!(harness.deliver(&event("other")).kind, OutcomeKind::Delivered);
    assert_eq!(harness.deliver(&event("forget")).kind, OutcomeKind::Delivered);
    assert_eq!(kept.wait().unwrap().kind, OutcomeKind::Delivered);
    check_all_completed(harness, 0);
}

#[test]
fn events_kept_by_the_plugin_end_with_it() {
    let harness = start();
    let kept = harness.start_delivery(&event("keep"));
    // Once this one has run, so has the one before it.
    assert_eq!(harness.deliver(&event("other")).kind, OutcomeKind::Delivered);
    check_all_completed(harness, 0);
    assert_eq!(kept.wait().unwrap().kind, OutcomeKind::Delivered);
}

#[test]
fn shutting_down_waits_for_whoever_still_reads_an_event() {
    /// Lends each event to the test.
    struct Lender(mpsc::Sender<Lent>);

    #[derive(Debug)]
    enum Lent {
        Event(Event),
        PluginDropped,
    }

    static LENDER: Mutex<Option<mpsc::Sender<Lent>>> = Mutex::new(None);

    impl Plugin for Lender {
        type Config = serde_json::Value;

        async fn create(_: Host, _: serde_json::Value) -> Result<Self, CreateError> {
            Ok(Self(LENDER.lock().unwrap().take().unwrap()))
        }

        async fn deliver(&self, event: &Event, _: &Delivery) -> Result<Outcome, Failure> {
            self.0.send(Lent::Event(event.clone())).unwrap();
            Ok(Outcome::delivered())
        }
    }

    impl Drop for Lender {
        fn drop(&mut self) {
            self.0.send(Lent::PluginDropped).unwrap();
        }
    }

    let (lend, lent) = mpsc::channel();
    *LENDER.lock().unwrap() = Some(lend);
    let harness = PluginHarness::<Lender>::builder().start().unwrap();
    drop(harness.start_delivery(&event("any")));
    let Lent::Event(event) = lent.recv().unwrap() else { panic!("the event comes first") };
    let returned = Arc::new(AtomicBool::new(false));
    let shut_down = std::thread::spawn({
        let returned = Arc::clone(&returned);
        move || {
            drop(harness);
            assert!(returned.load(Ordering::SeqCst), "nobody reads the host's memory any more");
        }
    });
    assert!(matches!(lent.recv().unwrap(), Lent::PluginDropped));
    assert_eq!(event.body(), b"body");
    returned.store(true, Ordering::SeqCst);
    drop(event);
    shut_down.join().unwrap();
}

#[test]
fn the_body_goes_to_blocking_tasks_without_a_copy() {
    let outcome = start().deliver(&EventFixture::raw("blocking", [1, 2, 3]));
    assert_eq!(outcome.record, Some(json!({ "sum": 6 })));
}

#[test]
fn a_secret_is_fetched_anew_and_never_printed() {
    let config = json!({ "token": { "$secret": "token" } });
    let harness = builder().config(config.clone()).secret("token", "hunter2").start().unwrap();
    assert_eq!(harness.deliver(&event("secret")).message, "7 Secret(***)");
    harness.set_secret("token", "hunter");
    assert_eq!(harness.deliver(&event("secret")).message, "6 Secret(***)");
    let refused = builder().config(config).start().unwrap().deliver(&event("secret"));
    assert_eq!((refused.kind, refused.code.as_str()), (OutcomeKind::Misconfigured, "secret"));
    assert!(refused.message.contains("`token`"), "{}", refused.message);
}

#[test]
fn lines_reach_the_log_with_level_and_delivery() {
    let harness = start();
    assert_eq!(harness.deliver(&event("log")).kind, OutcomeKind::Delivered);
    let logs = harness.logs();
    assert_eq!((logs[0].level, logs[0].in_delivery, logs[0].message.as_str()), (Level::Warn, true, "3 left"));
    assert_eq!(
        (logs[1].level, logs[1].in_delivery, logs[1].fields_json.as_str()),
        (Level::Debug, false, r#"{"n":1}"#)
    );
    let quiet = builder().log_level(Level::Info).start().unwrap();
    let _outcome = quiet.deliver(&event("log"));
    assert_eq!(quiet.logs().len(), 1, "what the host does not want is not sent");
}

#[test]
fn failures_cross_with_code_and_wait() {
    let harness = start();
    let limited = harness.deliver(&event("limited"));
    assert_eq!((limited.kind, limited.retry_after), (OutcomeKind::RateLimited, Some(Duration::from_secs(9))));
    let permanent = harness.deliver(&event("code"));
    assert_eq!((permanent.kind, permanent.code.as_str()), (OutcomeKind::Permanent, "no_such_field"));
    assert_eq!((permanent.message.as_str(), permanent.retry_after), ("gone", None));
}

#[test]
fn codes_are_made_plain() {
    assert_eq!(plain_code("HTTP 503–x"), "http_503_x");
    assert_eq!(plain_code(&"a".repeat(100)).len(), 64);
}

#[test]
fn health_is_told() {
    assert_eq!(start().health(), Health::Ok);
    let harness = builder().config(json!({ "health": "bad" })).start().unwrap();
    assert_eq!(harness.health(), Health::Unavailable("no disk".to_owned()));
}
