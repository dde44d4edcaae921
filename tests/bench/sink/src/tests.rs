use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness};

use super::*;

#[test]
fn everything_is_taken_and_the_first_is_told() {
    let harness = PluginHarness::<Sink>::builder().start().unwrap();
    for event in [EventFixture::monitor_run(1), EventFixture::raw("unrecognized", "{}")] {
        assert_eq!(harness.deliver(&event).kind, OutcomeKind::Delivered);
    }
    let lines: Vec<_> = harness.logs().into_iter().map(|line| line.message).collect();
    assert_eq!(lines, ["first delivery"]);
}
