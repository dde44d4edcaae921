//! What every service is made with: a client, a clock, and the values of secrets.

use std::{fmt, sync::Arc, time::Duration};

use postroom_sdk::{
    CreateError, Host, Secret, SecretError, SecretRef,
    http::{HttpClient, Reach},
};

/// A request moves whole collections, so it may take longer than those of other plugins; the gateway ends the attempt
/// before, if it is to be shorter.
const TIMEOUT: Duration = Duration::from_secs(600);

type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;
type Secrets = Arc<dyn Fn(&SecretRef) -> Result<Secret, SecretError> + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) client: reqwest::Client,
    /// The operator alone says where backups go, and that may well be a private network; but nobody needs addresses
    /// where clouds keep the credentials of their machines.
    pub(super) reach: Reach,
    clock: Clock,
    secrets: Secrets,
    /// The double that stands for every host of the internet.
    #[cfg(test)]
    pub(super) double: Option<std::net::SocketAddr>,
}

impl Setup {
    pub(crate) fn new(host: &Host) -> Result<Self, CreateError> {
        let reach = Reach::Private;
        let client = HttpClient::builder(host, "backup", env!("CARGO_PKG_VERSION"))
            .reach(reach)
            .timeout(TIMEOUT)
            .build_reqwest()?;
        let (clock, secrets) = (host.clone(), host.clone());
        Ok(Self {
            client,
            reach,
            clock: Arc::new(move || clock.now_unix_ms()),
            secrets: Arc::new(move |secret| secrets.secret(secret)),
            #[cfg(test)]
            double: None,
        })
    }

    /// Sends everything to a double, or to a line before it.
    #[cfg(test)]
    pub(super) fn to(&self, double: std::net::SocketAddr) -> Self {
        Self { double: Some(double), ..self.clone() }
    }

    pub(super) fn now_unix_ms(&self) -> u64 {
        (self.clock)()
    }

    pub(super) fn secret(&self, secret: &SecretRef) -> Result<Secret, SecretError> {
        (self.secrets)(secret)
    }
}

impl fmt::Debug for Setup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("reach", &self.reach).finish_non_exhaustive()
    }
}
