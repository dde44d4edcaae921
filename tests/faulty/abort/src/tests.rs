use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness};
use serde_json::json;

use super::*;

/// That it aborts is seen from outside, by the tests of the gateway.
#[test]
fn an_event_about_something_else_is_spared() {
    let config = json!({ "abort_when": "no such monitor" });
    let harness = PluginHarness::<Abort>::builder().config(config).start().unwrap();
    assert_eq!(harness.deliver(&EventFixture::monitor_run(1)).kind, OutcomeKind::Delivered);
}
