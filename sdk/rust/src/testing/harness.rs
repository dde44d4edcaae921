//! The host of a test.

use std::{collections::BTreeMap, fmt, marker::PhantomData, time::Duration};

use postroom_abi as abi;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{
    fake_host::{EmittedEvent, FakeHost},
    fixture::EventFixture,
    outcome::{LogLine, TestOutcome},
    table::{self, RawInstance},
};
use crate::{
    action::ActionError,
    config::Fault,
    log::Level,
    plugin::{Health, Plugin},
};

/// The time of a test unless it is set: 2025-01-01 00:00 UTC.
const NOW_UNIX_MS: u64 = 1_735_689_600_000;
/// How long a test waits for an outcome before it fails.
const PATIENCE: Duration = Duration::from_secs(20);

/// One instance of the plugin `P` with a host that records what it is told. Dropping it shuts the instance down.
///
/// ```
/// use std::time::Duration;
///
/// use postroom_sdk::{Health, Plugin, testing::{EventFixture, PluginHarness}};
///
/// fn recovers<P: Plugin>(harness: &PluginHarness<P>) {
///     let _outcome = harness.deliver(&EventFixture::monitor_run(1));
///     harness.set_secret("token", "rotated");
///     harness.advance(Duration::from_secs(60));
///     assert_eq!(harness.health(), Health::Ok);
/// }
/// ```
pub struct PluginHarness<P> {
    instance: RawInstance,
    host: &'static FakeHost,
    plugin: PhantomData<fn() -> P>,
}

/// Settings of a [`PluginHarness`].
///
/// ```
/// use postroom_sdk::{Level, Plugin, testing::{PluginHarness, StartError}};
/// use serde_json::json;
///
/// fn start<P: Plugin>() -> Result<PluginHarness<P>, StartError> {
///     PluginHarness::builder()
///         .config(json!({ "url": "https://pager.example", "token": { "$secret": "token" } }))
///         .secret("token", "t0p")
///         .log_level(Level::Info)
///         .start()
/// }
/// ```
#[derive(Clone)]
#[must_use]
pub struct HarnessBuilder<P> {
    config: Value,
    secrets: BTreeMap<String, String>,
    now_unix_ms: u64,
    log_level: Level,
    may_emit: bool,
    plugin: PhantomData<fn() -> P>,
}

/// The plugin refused to start.
///
/// ```
/// use postroom_sdk::{Plugin, testing::{PluginHarness, StartError}};
/// use serde_json::json;
///
/// fn wants_a_url<P: Plugin>() {
///     match PluginHarness::<P>::builder().config(json!({})).start() {
///         Err(StartError::Config(faults)) => assert_eq!(faults[0].message, "missing field `url`"),
///         other => panic!("{other:?}"),
///     }
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartError {
    /// Its config was refused, with the reasons.
    Config(Vec<Fault>),
    /// `create` failed: the operator must act when `config` is true, otherwise it may work later.
    Create {
        /// Whether the operator must change the config.
        config: bool,
        /// Why.
        message: String,
    },
    /// It panicked.
    Panicked(String),
}

/// A delivery that was started.
///
/// ```
/// use postroom_sdk::{Plugin, testing::{EventFixture, PluginHarness}};
///
/// fn gives_up<P: Plugin>(harness: &PluginHarness<P>) {
///     let in_flight = harness.start_delivery(&EventFixture::activity());
///     harness.cancel(&in_flight);
///     assert_eq!(in_flight.wait(), None);
/// }
/// ```
#[derive(Debug)]
pub struct InFlight {
    token: u64,
    outcome: oneshot::Receiver<TestOutcome>,
}

/// What was counted when an instance had been shut down.
///
/// ```
/// use postroom_sdk::{Plugin, testing::PluginHarness};
///
/// fn ends_cleanly<P: Plugin>(harness: PluginHarness<P>) {
///     let end = harness.shut_down();
///     assert_eq!((end.stale_completions, end.never_completed), (0, 0));
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutDown {
    /// Completions of deliveries that were already over; not a fault after a cancel.
    pub stale_completions: usize,
    /// Deliveries that were never completed: always 0 unless the SDK is broken.
    pub never_completed: usize,
    /// Everything that was logged.
    pub logs: Vec<LogLine>,
}

impl<P: Plugin> PluginHarness<P> {
    /// Starts with an empty config, no secrets and a fixed clock.
    pub fn builder() -> HarnessBuilder<P> {
        HarnessBuilder {
            config: json!({}),
            secrets: BTreeMap::new(),
            now_unix_ms: NOW_UNIX_MS,
            log_level: Level::Trace,
            may_emit: true,
            plugin: PhantomData,
        }
    }

    /// The manifest that the plugin gives when it is asked, with the schema of its settings; `None` when it has no
    /// [`postroom_plugin`](crate::postroom_plugin).
    #[must_use]
    pub fn manifest() -> Option<Value> {
        let (status, manifest) = table::describe::<P>()?;
        assert_eq!(status, abi::POSTROOM_OK, "the plugin describes itself");
        Some(serde_json::from_str(&manifest).expect("the SDK writes manifests as JSON"))
    }

    /// Checks a config as the gateway does before it starts a plugin; the faults, if any.
    #[must_use]
    pub fn validate(config: &Value) -> Vec<Fault> {
        let (status, report) = table::validate::<P>(&config.to_string());
        let faults = faults_of(&report, "errors");
        assert_eq!(status == abi::POSTROOM_OK, faults.is_empty(), "the status agrees with the report");
        faults
    }

    /// What the plugin tells the operator about a config that it accepts.
    #[must_use]
    pub fn warnings(config: &Value) -> Vec<Fault> {
        faults_of(&table::validate::<P>(&config.to_string()).1, "warnings")
    }

    /// Delivers and waits for the outcome. For tests without a runtime of their own.
    #[track_caller]
    #[must_use]
    pub fn deliver(&self, event: &EventFixture) -> TestOutcome {
        self.start_delivery(event).wait().expect("only cancelled deliveries have no outcome")
    }

    /// Delivers and waits for the outcome. For tests with a runtime, such as one that runs the server.
    pub async fn deliver_async(&self, event: &EventFixture) -> TestOutcome {
        let in_flight = self.start_delivery(event);
        in_flight.outcome.await.expect("only cancelled deliveries have no outcome")
    }

    /// Starts a delivery without waiting.
    #[track_caller]
    pub fn start_delivery(&self, event: &EventFixture) -> InFlight {
        let (token, event, outcome) = self.host.hold(event);
        assert_eq!(self.instance.deliver(token, event), abi::POSTROOM_OK, "the SDK accepts every delivery");
        InFlight { token, outcome }
    }

    /// Gives a delivery up, as the gateway does at the deadline: its future is dropped, and it has no outcome.
    pub fn cancel(&self, in_flight: &InFlight) {
        self.host.give_up(in_flight.token);
        self.instance.cancel(in_flight.token);
    }

    /// Has the plugin carry out one of its actions, and gives its output. For tests without a runtime of their own.
    ///
    /// # Errors
    ///
    /// As the plugin says it.
    #[track_caller]
    pub fn act(&self, name: &str, input: &Value) -> Result<Value, ActionError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without input and output needs nothing");
        let acted = async { tokio::time::timeout(PATIENCE, self.act_async(name, input)).await };
        runtime.block_on(acted).expect("the action ends in time")
    }

    /// Has the plugin carry out one of its actions, and gives its output. For tests with a runtime, such as one that runs
    /// the server.
    ///
    /// # Errors
    ///
    /// As the plugin says it.
    pub async fn act_async(&self, name: &str, input: &Value) -> Result<Value, ActionError> {
        if !self.instance.acts() {
            return Err(ActionError::NotFound("the plugin has no actions".to_owned()));
        }
        let (token, end) = self.host.begin_action();
        let status = self.instance.run(self.host, token, name, &input.to_string());
        assert_eq!(status, abi::POSTROOM_OK, "the SDK begins every action");
        let end = end.await.expect("the SDK ends every action");
        let message = end.message;
        Err(match end.status {
            abi::POSTROOM_OK => {
                return Ok(serde_json::from_str(&end.output_json).expect("the SDK writes JSON"));
            }
            abi::POSTROOM_E_INVALID => ActionError::Input(faults_of(&end.output_json, "errors")),
            abi::POSTROOM_E_NOT_FOUND => ActionError::NotFound(message),
            abi::POSTROOM_E_CONFLICT => ActionError::Conflict(message),
            abi::POSTROOM_E_CONFIG => ActionError::Misconfigured(message),
            abi::POSTROOM_E_UNAVAILABLE => ActionError::Unavailable(message),
            _ => ActionError::Failed(message),
        })
    }

    #[cfg(test)]
    pub(crate) fn cancel_actions(&self) {
        self.host.actions().into_iter().for_each(|token| self.instance.cancel_action(token));
    }

    #[cfg(test)]
    pub(crate) fn begin(&self, action: &str) -> oneshot::Receiver<super::fake_host::ActionEnd> {
        let (token, end) = self.host.begin_action();
        assert_eq!(self.instance.run(self.host, token, action, "{}"), abi::POSTROOM_OK);
        end
    }

    #[cfg(test)]
    pub(crate) fn host(&self) -> &'static FakeHost {
        self.host
    }

    /// Asks the plugin how it is.
    #[must_use]
    pub fn health(&self) -> Health {
        let (status, detail) = self.instance.health();
        let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
        let message = detail["message"].as_str().unwrap_or_default().to_owned();
        match status {
            abi::POSTROOM_OK => Health::Ok,
            abi::POSTROOM_E_CONFIG => Health::Misconfigured(message),
            _ => Health::Unavailable(message),
        }
    }

    /// Lets the plugin flush for at most `limit`.
    pub fn drain(&self, limit: Duration) {
        self.instance.drain(self.host.now() + in_ms(limit));
    }

    /// What was logged so far.
    #[must_use]
    pub fn logs(&self) -> Vec<LogLine> {
        self.host.logs()
    }

    /// What the plugin keeps under `key` in its durable state, if it has not expired.
    #[must_use]
    pub fn state(&self, key: &str) -> Option<Vec<u8>> {
        self.host.kept(key)
    }

    /// The events that the plugin has made, each once, oldest first.
    #[must_use]
    pub fn emitted(&self) -> Vec<EmittedEvent> {
        self.host.emitted()
    }

    /// What the plugin has measured: of a counter and a histogram the sum, of a gauge the last value.
    #[must_use]
    pub fn measured(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.host.measured(name, labels)
    }

    /// Moves the clocks of the host, the wall clock and the one that never goes back.
    pub fn advance(&self, by: Duration) {
        self.host.advance(in_ms(by));
    }

    /// Sets a secret, as when it is rotated.
    pub fn set_secret(&self, name: &str, value: &str) {
        self.host.set_secret(name, value);
    }

    /// Shuts the instance down, which ends what is in flight, and counts.
    #[must_use]
    pub fn shut_down(self) -> ShutDown {
        let host = self.host;
        drop(self);
        ShutDown { stale_completions: host.stale(), never_completed: host.open(), logs: host.logs() }
    }
}

impl<P: Plugin> HarnessBuilder<P> {
    /// Sets the config, as the gateway hands it over: a secret is `{"$secret": "name"}`.
    pub fn config(mut self, config: Value) -> Self {
        self.config = config;
        self
    }

    /// Adds a secret.
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.secrets.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Sets the clock, in milliseconds since 1970.
    pub fn now_unix_ms(mut self, now_unix_ms: u64) -> Self {
        self.now_unix_ms = now_unix_ms;
        self
    }

    /// Sets the level that the host writes; everything unless set.
    pub fn log_level(mut self, level: Level) -> Self {
        self.log_level = level;
        self
    }

    /// Does not let the plugin make events, as an operator who has not set `emit = true`.
    pub fn without_emit(mut self) -> Self {
        self.may_emit = false;
        self
    }

    /// Validates the config and creates the instance.
    ///
    /// # Errors
    ///
    /// When the plugin refuses.
    pub fn start(self) -> Result<PluginHarness<P>, StartError> {
        let faults = PluginHarness::<P>::validate(&self.config);
        if !faults.is_empty() {
            return Err(StartError::Config(faults));
        }
        let host = FakeHost::leak(self.now_unix_ms, self.log_level, self.secrets);
        host.declare(P::DECLARED.manifest(), self.may_emit);
        match RawInstance::create::<P>(host.table(), &self.config.to_string()) {
            Ok(instance) => Ok(PluginHarness { instance, host, plugin: PhantomData }),
            Err((abi::POSTROOM_E_PANIC, message)) => Err(StartError::Panicked(message)),
            Err((status, message)) => {
                Err(StartError::Create { config: status == abi::POSTROOM_E_CONFIG, message })
            }
        }
    }
}

impl InFlight {
    /// Waits for the outcome; `None` after a cancel. For tests without a runtime of their own.
    #[track_caller]
    #[must_use]
    pub fn wait(self) -> Option<TestOutcome> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without input and output needs nothing");
        let waited = runtime.block_on(async { tokio::time::timeout(PATIENCE, self.outcome).await });
        waited.expect("the delivery ends in time").ok()
    }

    /// Waits for the outcome; `None` after a cancel. For tests with a runtime.
    pub async fn outcome(self) -> Option<TestOutcome> {
        self.outcome.await.ok()
    }
}

impl<P> fmt::Debug for PluginHarness<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PluginHarness").finish_non_exhaustive()
    }
}

impl<P> fmt::Debug for HarnessBuilder<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HarnessBuilder").field("now_unix_ms", &self.now_unix_ms).finish_non_exhaustive()
    }
}

fn faults_of(report: &str, kind: &str) -> Vec<Fault> {
    let report: Value = serde_json::from_str(report).expect("the SDK writes reports as JSON");
    let text = |fault: &Value, key: &str| fault[key].as_str().unwrap_or_default().to_owned();
    let faults = report[kind].as_array().into_iter().flatten();
    faults.map(|fault| Fault { path: text(fault, "path"), message: text(fault, "message") }).collect()
}

fn in_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
