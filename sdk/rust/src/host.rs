//! What the gateway offers to a plugin.

use std::{fmt, sync::Arc, time::Duration};

use postroom_abi as abi;

use crate::{
    ffi::HostTable,
    log::Log,
    secret::{Secret, SecretError, SecretOrText, SecretRef},
    state::State,
};

/// The gateway's services for one instance of a plugin. Cheap to clone, usable from any thread.
///
/// ```
/// use postroom_sdk::{Failure, Host, SecretRef};
///
/// fn signature(host: &Host, key: &SecretRef) -> Result<String, Failure> {
///     let key = host.secret(key)?;
///     host.log().debug("signing");
///     Ok(format!("{}:{}", host.now_unix_ms(), key.expose().len()))
/// }
/// ```
#[derive(Clone)]
pub struct Host {
    log: Log,
}

impl Host {
    pub(crate) fn new(table: Arc<HostTable>) -> Self {
        Self { log: Log { table, token: 0 } }
    }

    /// The gateway's log, for lines that belong to no delivery.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The wall clock, in milliseconds since 1970. A test may set it.
    #[must_use]
    pub fn now_unix_ms(&self) -> u64 {
        self.table().now_unix_ms()
    }

    /// The value of a secret. Ask each time it is needed: it may have been rotated.
    ///
    /// # Errors
    ///
    /// When the config does not name it, the gateway cannot read it, or it is not text. With `?` it becomes the
    /// fitting [`Failure`](crate::Failure) or [`CreateError`](crate::CreateError).
    pub fn secret(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        let name = secret.name();
        let value = self.table().secret(name).map_err(|status| match status {
            abi::POSTROOM_E_DENIED | abi::POSTROOM_E_NOT_FOUND => SecretError::NotGranted(name.to_owned()),
            _ => SecretError::Unavailable(name.to_owned()),
        })?;
        String::from_utf8(value).map(Secret::new).map_err(|_| SecretError::NotText(name.to_owned()))
    }

    /// The value of a setting that may be a secret; plain text is treated as one from here on.
    ///
    /// # Errors
    ///
    /// As [`Host::secret`].
    pub fn resolve(&self, setting: &SecretOrText) -> Result<Secret, SecretError> {
        match setting {
            SecretOrText::Secret(secret) => self.secret(secret),
            SecretOrText::Text(text) => Ok(Secret::new(text.as_str())),
        }
    }

    /// What the gateway keeps for this destination, over restarts and crashes.
    #[must_use]
    pub fn state(&self) -> State {
        State::new(Arc::clone(self.table()))
    }

    pub(crate) fn table(&self) -> &Arc<HostTable> {
        &self.log.table
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").finish_non_exhaustive()
    }
}

/// What belongs to one attempt beside the event.
///
/// ```
/// use postroom_sdk::{Delivery, Failure};
///
/// fn time_for_another_try(delivery: &Delivery) -> Result<(), Failure> {
///     if delivery.time_left().as_secs() < 2 {
///         delivery.log().warn("no time for another try");
///         return Err(Failure::retry("late", "the remote side was too slow"));
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Delivery {
    host: Host,
    log: Log,
    deadline_unix_ms: u64,
}

impl Delivery {
    pub(crate) fn new(host: Host, token: u64, deadline_unix_ms: u64) -> Self {
        let log = Log { token, ..host.log.clone() };
        Self { host, log, deadline_unix_ms }
    }

    /// The gateway's services.
    #[must_use]
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The gateway's log, for lines about this delivery.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// How long the attempt may still take. When it is over, the future of `deliver` is dropped.
    #[must_use]
    pub fn time_left(&self) -> Duration {
        Duration::from_millis(self.deadline_unix_ms.saturating_sub(self.host.now_unix_ms()))
    }
}
