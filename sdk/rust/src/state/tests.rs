use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::{
    Delivery, Event, Host, Outcome, Plugin,
    testing::{EventFixture, PluginHarness},
};

/// Does with its state what the event's kind says.
struct Keeper(Host);

#[derive(Deserialize, JsonSchema)]
struct Config {}

impl Plugin for Keeper {
    type Config = Config;

    async fn create(host: Host, _: Config) -> Result<Self, CreateError> {
        host.state().put("born", "yes", Expect::Absent).await?;
        Ok(Self(host))
    }

    async fn deliver(&self, event: &Event, _: &Delivery) -> Result<Outcome, Failure> {
        let state = self.0.state();
        let told = match event.kind() {
            "write" => {
                let first = state.put("k/1", "one", Expect::Absent).await?;
                let conflict = state.put("k/1", "two", Expect::Absent).await;
                assert_eq!(conflict, Err(StateError::Conflict { version: first }));
                let second = state.put("k/1", "two", Expect::Version(first)).await?;
                state.put("k/2", [], Expect::Any).await?;
                assert!(state.delete("k/1", Expect::Version(first)).await.is_err());
                assert!(second > first && !state.delete("k/3", Expect::Any).await?);
                format!("{:?} {:?}", state.keys("k/").await?, state.keys("").await?)
            }
            "read" => {
                let entry = state.get("k/1").await?.map(|entry| entry.text());
                assert!(state.delete("k/1", Expect::Any).await?);
                format!("{entry:?} {:?}", state.get("k/1").await?)
            }
            "wrong" => {
                let long = "k".repeat(257);
                let refused = [
                    state.get("").await.err(),
                    state.get("a\nb").await.err(),
                    state.get(&long).await.err(),
                    state.put("k", vec![0; 256 * 1024 + 1], Expect::Any).await.err(),
                ];
                format!("{refused:?}")
            }
            "for a second" => {
                state.put_for(Duration::from_secs(1), "short", "x", Expect::Any).await?;
                String::new()
            }
            "blank at the end" => {
                state.put("a\r", "x", Expect::Any).await?;
                format!("{:?}", state.keys("a").await?)
            }
            _ => state.get("short").await?.is_some().to_string(),
        };
        Ok(Outcome::delivered().with_message(told))
    }
}

#[track_caller]
fn check(harness: &PluginHarness<Keeper>, kind: &str, expected: &str) {
    let fixture = EventFixture::raw(kind, "{}");
    assert_eq!(harness.deliver(&fixture).message, expected);
}

#[test]
fn a_plugin_keeps_reads_lists_and_removes() {
    let harness = PluginHarness::<Keeper>::builder().start().unwrap();
    check(&harness, "write", r#"["k/1", "k/2"] ["born", "k/1", "k/2"]"#);
    assert_eq!(harness.state("k/1").as_deref(), Some(&b"two"[..]));
    check(&harness, "read", r#"Some("two") None"#);
    assert_eq!(harness.state("k/1"), None);
}

#[test]
fn what_the_gateway_would_not_take_is_told() {
    let harness = PluginHarness::<Keeper>::builder().start().unwrap();
    check(&harness, "wrong", "[Some(Key), Some(Key), Some(Key), Some(Value)]");
}

#[test]
fn a_value_with_an_end_is_gone_then() {
    let harness = PluginHarness::<Keeper>::builder().start().unwrap();
    check(&harness, "for a second", "");
    check(&harness, "there", "true");
    harness.advance(Duration::from_secs(1));
    check(&harness, "there", "false");
}

#[test]
fn keys_are_listed_as_they_are() {
    let harness = PluginHarness::<Keeper>::builder().start().unwrap();
    check(&harness, "blank at the end", r#"["a\r"]"#);
}

#[test]
fn an_error_becomes_the_failure_that_mends_it() {
    let check = |error: StateError, expected: &str| {
        let failure = format!("{:?}", Failure::from(error));
        assert!(failure.starts_with(expected), "{failure}");
    };
    check(StateError::TooLarge, "Misconfigured");
    check(StateError::Unsupported, "Misconfigured");
    check(StateError::Unavailable, "Retry");
    check(StateError::Conflict { version: 1 }, "Retry");
    check(StateError::List, "Retry");
    check(StateError::Value, "Permanent");
    check(StateError::Key, "Permanent");
}
