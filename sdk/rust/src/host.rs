//! What the gateway offers to a plugin.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use postroom_abi as abi;
use thiserror::Error;

use crate::{
    emit::{self, EmitError, Emitted, NewEvent},
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

    /// A clock that never goes back, from some moment on: for how long something took. A test may set it.
    #[must_use]
    pub fn monotonic(&self) -> Duration {
        Duration::from_nanos(self.table().monotonic_ns())
    }

    /// Makes an event that belongs to no delivery; see [`NewEvent`]. A plugin may make a few a second.
    ///
    /// # Errors
    ///
    /// As [`EmitError`] says.
    pub async fn emit(&self, event: NewEvent) -> Result<Emitted, EmitError> {
        emit::emit(self.table(), 0, &event).await
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
    token: u64,
    deadline_unix_ms: AtomicU64,
}

/// Why a delivery got no more time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExtendError {
    /// It has had all the time that the operator gives.
    #[error("the attempt has had all its time; the operator can raise `timeout_max`")]
    NoMore,
    /// The delivery is over.
    #[error("the delivery is over")]
    Over,
    /// This gateway gives no more time.
    #[error("this gateway gives no more time: use a newer one")]
    Unsupported,
}

impl Delivery {
    pub(crate) fn new(host: Host, token: u64, deadline_unix_ms: u64) -> Self {
        let log = Log { token, ..host.log.clone() };
        Self { host, log, token, deadline_unix_ms: AtomicU64::new(deadline_unix_ms) }
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
        let deadline = self.deadline_unix_ms.load(Ordering::Relaxed);
        Duration::from_millis(deadline.saturating_sub(self.host.now_unix_ms()))
    }

    /// Asks that the attempt may take until `from_now`, and gives how long it may take now, which may be less. Work that goes
    /// on asks again and again; what is asked for in vain changes nothing.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use postroom_sdk::{Delivery, ExtendError};
    ///
    /// fn still_working(delivery: &Delivery) -> Result<(), ExtendError> {
    ///     if delivery.time_left() < Duration::from_secs(10) {
    ///         delivery.extend(Duration::from_secs(60))?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`ExtendError`] says.
    pub fn extend(&self, from_now: Duration) -> Result<Duration, ExtendError> {
        let want_ms = u32::try_from(from_now.as_millis()).unwrap_or(u32::MAX);
        let deadline = self.host.table().extend(self.token, want_ms).map_err(|status| match status {
            abi::POSTROOM_E_DENIED => ExtendError::NoMore,
            abi::POSTROOM_E_STALE => ExtendError::Over,
            _ => ExtendError::Unsupported,
        })?;
        self.deadline_unix_ms.store(deadline, Ordering::Relaxed);
        Ok(self.time_left())
    }

    /// Makes an event in this delivery; see [`NewEvent`]. It is on disk when this comes back. When the delivery comes again
    /// and makes it again, that is the same event.
    ///
    /// # Errors
    ///
    /// As [`EmitError`] says.
    pub async fn emit(&self, event: NewEvent) -> Result<Emitted, EmitError> {
        emit::emit(self.host.table(), self.token, &event).await
    }
}
