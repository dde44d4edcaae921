//! What a plugin makes, measures and asks time for, as its author tests it.
#![forbid(unsafe_code)]

use std::time::Duration;

use postroom_sdk::{
    CreateError, Delivery, EmitError, Event, ExtendError, Failure, Host, NewEvent, Outcome, Plugin, Verdict,
    postroom_plugin,
    testing::{EventFixture, OutcomeKind, PluginHarness},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize, JsonSchema)]
struct Config {}

struct Pager;

#[postroom_plugin(
    id = "pager",
    name = "Pager",
    kinds = ["*"],
    emits = ["page_opened"],
    metrics = [counter("pages", "Pages sent"), gauge("open"), histogram("took", "Seconds")]
)]
impl Plugin for Pager {
    type Config = Config;

    async fn create(_: Host, _: Config) -> Result<Self, CreateError> {
        Ok(Self)
    }

    async fn deliver(&self, event: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let host = delivery.host();
        let body = String::from_utf8_lossy(event.body()).into_owned();
        let opened =
            |kind| NewEvent::new(kind).subject("night run").verdict(Verdict::Failed).label("team", "a");
        match body.as_str() {
            "emit" => {
                let made = delivery.emit(opened("page_opened").json(&json!({ "page": 7 }))?).await?;
                let again = opened("page_opened").idempotency_key("k");
                let first = host.emit(again.clone()).await?;
                let second = host.emit(again).await?;
                assert_eq!((first.repeated, &second.id, second.repeated), (false, &first.id, true));
                Ok(Outcome::delivered().with_message(made.id))
            }
            "undeclared" => match delivery.emit(opened("page_lost")).await {
                Err(error @ EmitError::Denied) => Err(error.into()),
                other => panic!("{other:?}"),
            },
            "large" => {
                let large = opened("page_opened").body("text/plain", vec![b'x'; 1024 * 1024 + 1]);
                assert_eq!(delivery.emit(large).await, Err(EmitError::TooLarge));
                Ok(Outcome::delivered())
            }
            "measure" => {
                let begun = host.monotonic();
                host.count("pages", 1.5, &[("team", "a")]);
                host.count("pages", 2.0, &[("team", "a")]);
                host.gauge("open", 3.0, &[]);
                host.gauge("open", -2.0, &[]);
                host.observe("took", 0.25, &[]);
                host.gauge("pages", 1.0, &[]);
                assert_eq!(host.monotonic() - begun, Duration::ZERO, "the clock of a test stands still");
                Ok(Outcome::delivered())
            }
            _ => {
                let before = delivery.time_left();
                assert_eq!(delivery.extend(Duration::from_secs(60)), Ok(Duration::from_secs(60)));
                assert!(delivery.time_left() > before);
                assert_eq!(
                    delivery.extend(Duration::MAX),
                    Ok(Duration::from_secs(300)),
                    "ten times what it has"
                );
                assert_eq!(delivery.extend(Duration::MAX), Err(ExtendError::NoMore));
                Ok(Outcome::delivered())
            }
        }
    }
}

fn fixture(body: &'static str) -> EventFixture {
    EventFixture::monitor_run(1).body(body)
}

fn start() -> PluginHarness<Pager> {
    PluginHarness::builder().start().expect("it starts")
}

#[test]
fn the_manifest_declares_what_the_plugin_makes() {
    let manifest = PluginHarness::<Pager>::manifest().unwrap();
    assert_eq!(manifest["emits"], json!(["page_opened"]));
    assert_eq!(
        manifest["metrics"],
        json!([
            { "name": "pages", "kind": "counter", "help": "Pages sent" },
            { "name": "open", "kind": "gauge" },
            { "name": "took", "kind": "histogram", "help": "Seconds" },
        ])
    );
}

#[test]
fn a_test_sees_what_was_made() {
    let harness = start();
    let outcome = harness.deliver(&fixture("emit"));
    let emitted = harness.emitted();
    assert_eq!((outcome.kind, &outcome.message), (OutcomeKind::Delivered, &emitted[0].id));
    assert_eq!(emitted.len(), 2);
    assert_eq!((emitted[0].kind.as_str(), emitted[0].subject.as_str()), ("page_opened", "night run"));
    assert_eq!((emitted[0].verdict, emitted[0].labels["team"].as_str()), (Some(Verdict::Failed), "a"));
    assert_eq!(
        (emitted[0].content_type.as_str(), &emitted[0].body[..]),
        ("application/json", &b"{\"page\":7}"[..])
    );
    assert_eq!((emitted[0].in_delivery, emitted[1].in_delivery, emitted[1].key.as_str()), (true, false, "k"));
}

#[test]
fn what_may_not_be_made_ends_the_delivery_fittingly() {
    let harness = start();
    assert_eq!(harness.deliver(&fixture("undeclared")).kind, OutcomeKind::Permanent);
    assert_eq!(harness.deliver(&fixture("large")).kind, OutcomeKind::Delivered);
    assert!(harness.emitted().is_empty());
    let harness = PluginHarness::<Pager>::builder().without_emit().start().unwrap();
    assert_eq!(harness.deliver(&fixture("emit")).kind, OutcomeKind::Misconfigured);
}

#[test]
fn a_test_sees_what_was_measured() {
    let harness = start();
    assert_eq!(harness.deliver(&fixture("measure")).kind, OutcomeKind::Delivered);
    assert_eq!(harness.measured("pages", &[("team", "a")]), Some(3.5));
    assert_eq!(harness.measured("open", &[]), Some(-2.0));
    assert_eq!(harness.measured("took", &[]), Some(0.25));
    assert_eq!(harness.measured("pages", &[]), None);
    let logs = harness.shut_down().logs;
    assert!(logs.iter().any(|line| line.message.contains("metric pages not taken")), "{logs:?}");
}

#[test]
fn a_delivery_gets_more_time_within_the_bound() {
    assert_eq!(start().deliver(&fixture("extend")).kind, OutcomeKind::Delivered);
}
