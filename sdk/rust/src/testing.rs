//! Runs a plugin inside a test, through the same function table that the gateway uses.
//!
//! ```
//! use postroom_sdk::testing::{EventFixture, OutcomeKind, PluginHarness};
//! # use postroom_sdk::{CreateError, Delivery, Event, Failure, Host, Outcome, Plugin};
//! # #[derive(serde::Deserialize)] struct Config {}
//! # struct Hello;
//! # impl Plugin for Hello {
//! #     type Config = Config;
//! #     async fn create(_: Host, _: Config) -> Result<Self, CreateError> { Ok(Self) }
//! #     async fn deliver(&self, _: &Event, _: &Delivery) -> Result<Outcome, Failure> { Ok(Outcome::delivered()) }
//! # }
//!
//! let harness = PluginHarness::<Hello>::builder().secret("token", "t0p").start().unwrap();
//! let outcome = harness.deliver(&EventFixture::monitor_run(2));
//! assert_eq!(outcome.kind, OutcomeKind::Delivered);
//! assert_eq!(harness.shut_down().stale_completions, 0);
//! ```

mod fake_host;
mod fixture;
mod harness;
mod outcome;
mod table;

pub use self::{
    fake_host::EmittedEvent,
    fixture::EventFixture,
    harness::{HarnessBuilder, InFlight, PluginHarness, ShutDown, StartError},
    outcome::{LogLine, OutcomeKind, TestOutcome},
};
