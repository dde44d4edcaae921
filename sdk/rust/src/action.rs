//! Actions: named operations of a plugin that people start.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use postroom_abi as abi;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};
use thiserror::Error;

use crate::{
    config::{self, Fault, Report},
    host::Host,
    log::Log,
    outcome::Failure,
    schema,
    secret::SecretError,
    state::StateError,
};

/// A named operation of the plugin `P` that people start: by the API, on the command line, with a form.
///
/// Its input and output are types, as the settings are: their schemas stand in the manifest, so the gateway can show them
/// without running the plugin, and checks what it passes on. [`Plugin::actions`](crate::Plugin::actions) names the actions.
///
/// ```
/// use postroom_sdk::{Action, ActionCall, ActionError, Actions};
/// use schemars::JsonSchema;
/// use serde::{Deserialize, Serialize};
///
/// # struct Archive;
/// # impl Archive { fn remove(&self, _: &str) -> Result<u64, std::io::Error> { Ok(7) } }
/// #[derive(Deserialize, JsonSchema)]
/// struct Version {
///     /// Which version, as `list` names it.
///     id: String,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// struct Freed {
///     bytes: u64,
/// }
///
/// struct Remove;
///
/// impl Action<Archive> for Remove {
///     const NAME: &str = "remove";
///     const TITLE: &str = "Remove a version";
///     const DESCRIPTION: &str = "Deletes one version of a collection for good";
///     const DANGER: bool = true;
///     type Input = Version;
///     type Output = Freed;
///
///     async fn run(archive: &Archive, version: Version, call: &ActionCall) -> Result<Freed, ActionError> {
///         if version.id.is_empty() {
///             return Err(ActionError::input("/id", "names no version"));
///         }
///         call.log().info("removing a version");
///         let bytes = archive.remove(&version.id).map_err(|error| ActionError::failed(error.to_string()))?;
///         Ok(Freed { bytes })
///     }
/// }
/// ```
pub trait Action<P>: 'static {
    /// What the API calls it: lower-case words joined by `-` or `_`, at most 64 bytes.
    const NAME: &'static str;

    /// What people are shown instead of the name.
    const TITLE: &'static str;

    /// What it does, in a sentence.
    const DESCRIPTION: &'static str;

    /// Whether it destroys or overwrites something, so that people are asked first.
    const DANGER: bool = false;

    /// What it takes, as a JSON object. A member that no field takes is refused.
    type Input: DeserializeOwned + JsonSchema + Send;

    /// What it gives, as a JSON object of at most 4 MiB. `()` gives an empty one.
    type Output: Serialize + JsonSchema;

    /// Does it. At most 4 actions of a destination run at once, beside the deliveries; the future is dropped when the time
    /// is up or nobody waits for it any more, and then what was done stays done.
    fn run(
        plugin: &P,
        input: Self::Input,
        call: &ActionCall,
    ) -> impl Future<Output = Result<Self::Output, ActionError>> + Send;
}

/// The actions of a plugin, as [`Plugin::actions`](crate::Plugin::actions) gives them.
///
/// ```
/// use postroom_sdk::Actions;
/// # struct Archive;
///
/// let nothing: Actions<Archive> = Actions::none();
/// # assert_eq!(format!("{nothing:?}"), "Actions([])");
/// ```
#[must_use]
pub struct Actions<P>(Vec<Offered<P>>);

/// One action, without its types.
struct Offered<P> {
    name: &'static str,
    describe: fn() -> Value,
    run: Run<P>,
}

type Run<P> = fn(Arc<P>, &[u8], ActionCall) -> Running;

/// An action at work; gives its output as JSON.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<String, ActionError>> + Send>>;

impl<P: Send + Sync + 'static> Actions<P> {
    /// A plugin that only delivers.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Adds an action.
    pub fn with<A: Action<P>>(mut self) -> Self {
        self.0.push(Offered { name: A::NAME, describe: describe::<P, A>, run: run::<P, A> });
        self
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Begins an action; `None` when there is none of this name.
    pub(crate) fn run(&self, name: &str, plugin: Arc<P>, input: &[u8], call: ActionCall) -> Option<Running> {
        let offered = self.0.iter().find(|offered| offered.name == name)?;
        Some((offered.run)(plugin, input, call))
    }

    /// The manifest's `actions`; `None` when there are none.
    pub(crate) fn describe(&self) -> Option<Value> {
        let described: Vec<Value> = self.0.iter().map(|offered| (offered.describe)()).collect();
        (!described.is_empty()).then(|| described.into())
    }
}

impl<P> fmt::Debug for Actions<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.iter().map(|offered| offered.name).collect();
        f.debug_tuple("Actions").field(&names).finish()
    }
}

fn describe<P, A: Action<P>>() -> Value {
    let mut output_schema = schema::of::<A::Output>(A::TITLE);
    if output_schema["type"] == "null" {
        output_schema["type"] = "object".into();
    }
    json!({
        "name": A::NAME,
        "title": A::TITLE,
        "description": A::DESCRIPTION,
        "danger": A::DANGER,
        "input_schema": schema::of::<A::Input>(A::TITLE),
        "output_schema": output_schema,
    })
}

fn run<P: Send + Sync + 'static, A: Action<P>>(plugin: Arc<P>, input: &[u8], call: ActionCall) -> Running {
    let input = config::parse::<A::Input>(input);
    Box::pin(async move {
        let output = A::run(&plugin, input.map_err(ActionError::Input)?, &call).await?;
        match serde_json::to_value(output) {
            Ok(output @ Value::Object(_)) => Ok(output.to_string()),
            Ok(Value::Null) => Ok(Value::Object(Map::new()).to_string()),
            Ok(_) => Err(ActionError::failed("the output is no object")),
            Err(error) => Err(ActionError::failed(format!("the output cannot be written as JSON: {error}"))),
        }
    })
}

/// What belongs to one run of an action beside its input.
///
/// ```
/// use postroom_sdk::{ActionCall, ActionError};
///
/// fn time_for_another_page(call: &ActionCall) -> Result<(), ActionError> {
///     if call.time_left().as_secs() < 2 {
///         call.log().warn("no time for another page");
///         return Err(ActionError::unavailable("the remote side is too slow: ask for less"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct ActionCall {
    host: Host,
    deadline_unix_ms: u64,
}

impl ActionCall {
    pub(crate) fn new(host: Host, deadline_unix_ms: u64) -> Self {
        Self { host, deadline_unix_ms }
    }

    /// The gateway's services.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The gateway's log.
    #[must_use]
    pub fn log(&self) -> &Log {
        self.host.log()
    }

    /// How long the action may still take. When it is over, the future of `run` is dropped.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(self.deadline_unix_ms.saturating_sub(self.host.now_unix_ms()))
    }
}

/// Why an action gave nothing, by what people can do about it. Messages are for people and never hold secrets.
///
/// ```
/// use postroom_sdk::ActionError;
///
/// fn checked(version: &str, known: &[&str]) -> Result<(), ActionError> {
///     match version {
///         "" => Err(ActionError::input("/version", "names no version")),
///         version if known.contains(&version) => Ok(()),
///         version => Err(ActionError::not_found(format!("there is no version {version}"))),
///     }
/// }
/// # assert!(checked("1", &["1"]).is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The input has to be another.
    #[error("{}", config::in_one_line(.0))]
    Input(Vec<Fault>),
    /// What the input names is not there.
    #[error("{0}")]
    NotFound(String),
    /// It cannot be done as things stand.
    #[error("{0}")]
    Conflict(String),
    /// The operator must change the settings.
    #[error("{0}")]
    Misconfigured(String),
    /// It may work later.
    #[error("{0}")]
    Unavailable(String),
    /// A fault of the plugin.
    #[error("{0}")]
    Failed(String),
}

impl ActionError {
    /// The value at `path` has to be another, a JSON Pointer such as `/name`; empty for the input as a whole.
    pub fn input(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Input(vec![Fault { path: path.into(), message: message.into() }])
    }

    /// What the input names is not there.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound(message.into())
    }

    /// It cannot be done as things stand.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::Conflict(message.into())
    }

    /// It may work later.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable(message.into())
    }

    /// A fault of the plugin.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// As the boundary has it: the status, the output and the message.
    pub(crate) fn parts(self) -> (i32, String, String) {
        let (status, message) = match self {
            Self::Input(faults) => {
                let mut report = Report::default();
                faults.into_iter().for_each(|fault| report.error(fault.path, fault.message));
                let report = serde_json::to_string(&report).unwrap_or_default();
                return (abi::POSTROOM_E_INVALID, report, String::new());
            }
            Self::NotFound(message) => (abi::POSTROOM_E_NOT_FOUND, message),
            Self::Conflict(message) => (abi::POSTROOM_E_CONFLICT, message),
            Self::Misconfigured(message) => (abi::POSTROOM_E_CONFIG, message),
            Self::Unavailable(message) => (abi::POSTROOM_E_UNAVAILABLE, message),
            Self::Failed(message) => (abi::POSTROOM_E_INTERNAL, message),
        };
        (status, String::new(), message)
    }
}

impl From<Failure> for ActionError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Retry { message, .. } | Failure::RateLimited { message, .. } => {
                Self::Unavailable(message)
            }
            Failure::Permanent { message, .. } => Self::Conflict(message),
            Failure::Misconfigured { message, .. } => Self::Misconfigured(message),
        }
    }
}

impl From<SecretError> for ActionError {
    fn from(error: SecretError) -> Self {
        Failure::from(error).into()
    }
}

impl From<StateError> for ActionError {
    fn from(error: StateError) -> Self {
        Failure::from(error).into()
    }
}

#[cfg(test)]
mod tests;
