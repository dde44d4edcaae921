use std::time::Duration;

use postroom_sdk::{CreateError, Delivery, Failure, Outcome, Plugin, testing::EventFixture};
use postroom_sdk::{Event, testing::PluginHarness};
use serde_json::json;

use super::*;

/// Asks at each delivery whether something is due.
struct Asks;

impl Plugin for Asks {
    type Config = serde_json::Value;

    async fn create(_: Host, _: serde_json::Value) -> Result<Self, CreateError> {
        Ok(Self)
    }

    async fn deliver(&self, _: &Event, delivery: &Delivery) -> Result<Outcome, Failure> {
        let due = is_due(delivery.host(), VERIFIED, Duration::from_secs(60)).await;
        if due {
            done(delivery.host(), VERIFIED).await;
        }
        Ok(Outcome::delivered().with_record(json!({ "due": due })))
    }
}

#[test]
fn a_chore_is_due_when_its_time_has_passed_since_it_was_done() {
    let harness = PluginHarness::<Asks>::builder().start().unwrap();
    let is_due = || harness.deliver(&EventFixture::activity()).record.unwrap()["due"].clone();
    assert_eq!(is_due(), false, "the first look only begins to count");
    harness.advance(Duration::from_secs(59));
    assert_eq!(is_due(), false);
    harness.advance(Duration::from_secs(1));
    assert_eq!(is_due(), true);
    assert_eq!(is_due(), false);
    assert!(harness.state(VERIFIED).is_some());
}
