//! The trait an author implements.

use std::future::Future;

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::{
    action::Actions,
    config::Report,
    declared::Declared,
    event::Event,
    host::{Delivery, Host},
    outcome::{Failure, Outcome},
    secret::SecretError,
};

/// A destination's code. `async fn` works for `create`, `deliver` and `drain`.
///
/// Each destination of the configuration is one instance, on a thread of its own with a single-threaded tokio runtime:
/// `deliver` must not block that thread for long; blocking work goes to
/// [`spawn_blocking`](tokio::task::spawn_blocking). A panic in any method is caught: in `deliver` it becomes a retry with
/// the code `panic`, and the instance lives on.
///
/// An example stands at the [crate](crate).
pub trait Plugin: Send + Sync + Sized + 'static {
    /// The settings, as serde reads them; [`postroom_plugin`](crate::postroom_plugin) also wants
    /// [`JsonSchema`](schemars::JsonSchema). A setting that no field takes is refused.
    type Config: DeserializeOwned + Send + 'static;

    /// Filled by [`postroom_plugin`](crate::postroom_plugin).
    #[doc(hidden)]
    const DECLARED: Declared = Declared::NOTHING;

    /// Checks what the type of the settings cannot express. No input or output, no threads.
    fn validate(config: &Self::Config, report: &mut Report) {
        let _ = (config, report);
    }

    /// Makes an instance. The settings have passed [`Plugin::validate`].
    fn create(host: Host, config: Self::Config) -> impl Future<Output = Result<Self, CreateError>> + Send;

    /// Delivers one event. Deliveries run side by side up to the destination's concurrency.
    ///
    /// An event may come again with the same id, because delivery is at least once. When the deadline has passed or the
    /// gateway gives the delivery up, the future is dropped.
    fn deliver(
        &self,
        event: &Event,
        delivery: &Delivery,
    ) -> impl Future<Output = Result<Outcome, Failure>> + Send;

    /// What people can have the plugin do beside delivering. The attribute's `actions` puts them into the manifest.
    ///
    /// ```ignore
    /// fn actions() -> Actions<Self> {
    ///     Actions::none().with::<List>().with::<Remove>()
    /// }
    /// ```
    fn actions() -> Actions<Self> {
        Actions::none()
    }

    /// How the instance is; answered at once.
    fn health(&self) -> Health {
        Health::Ok
    }

    /// Flushes what the plugin batches. No more deliveries will come.
    fn drain(&self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Why no instance could be made.
///
/// ```
/// use postroom_sdk::CreateError;
///
/// fn open(folder: &str) -> Result<(), CreateError> {
///     std::fs::create_dir_all(folder)
///         .map_err(|error| CreateError::unavailable(format!("{folder} cannot be made: {error}")))
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CreateError {
    /// The operator must change the settings.
    #[error("{0}")]
    Config(String),
    /// Something is missing now; the gateway tries again.
    #[error("{0}")]
    Unavailable(String),
}

impl CreateError {
    /// The operator must change the settings; `message` says which and how.
    pub fn config(message: impl Into<String>) -> Self {
        Self::Config(message.into())
    }

    /// Something is missing now; the gateway tries again.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::Unavailable(message.into())
    }
}

impl From<SecretError> for CreateError {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unavailable(_) => Self::Unavailable(error.to_string()),
            SecretError::NotGranted(_) | SecretError::NotText(_) => Self::Config(error.to_string()),
        }
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        match error {
            SecretError::Unavailable(_) => Self::retry("secret_unavailable", error.to_string()),
            SecretError::NotGranted(_) | SecretError::NotText(_) => {
                Self::misconfigured("secret", error.to_string())
            }
        }
    }
}

/// How an instance is.
///
/// ```
/// use postroom_sdk::Health;
///
/// fn health(failed_in_a_row: u32) -> Health {
///     match failed_in_a_row {
///         0..3 => Health::Ok,
///         times => Health::Unavailable(format!("the pager has failed {times} times in a row")),
///     }
/// }
/// # assert_eq!(health(1), Health::Ok);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Well.
    Ok,
    /// Working badly or not at all, for now.
    Unavailable(String),
    /// The operator must change the settings.
    Misconfigured(String),
}
