//! What is done without a delivery: every version is checked now and then, and what was pruned is cleared away.

use std::time::Duration;

use postroom_sdk::{Expect, Host, State, StateError, tokio::time::sleep};

use crate::{
    events,
    plugin::failure,
    retention::Retention,
    vault::{Damage, Error, Vault},
};

/// How often it is looked whether something is due.
const ROUND: Duration = Duration::from_secs(60 * 60);
const CLEARED_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// Under which the gateway keeps when each was done last.
const VERIFIED: &str = "verified";
const CLEARED: &str = "cleared";

/// The work of one vault.
#[derive(Debug)]
pub(crate) struct Chores {
    pub(crate) vault: Vault,
    pub(crate) retention: Option<Retention>,
    pub(crate) verify_every: Duration,
}

impl Chores {
    /// Does what is due, again and again.
    pub(crate) async fn run(self, host: Host) {
        loop {
            sleep(ROUND).await;
            self.round(&host).await;
        }
    }

    async fn round(&self, host: &Host) {
        if is_due(host, CLEARED, CLEARED_EVERY).await {
            match self.clear(host).await {
                Ok(()) => done(host, CLEARED).await,
                Err(error) => {
                    host.log()
                        .warn(format_args!("pruned versions could not be cleared away: {}", failure(&error)));
                }
            }
        }
        if !self.verify_every.is_zero() && is_due(host, VERIFIED, self.verify_every).await {
            match self.verify(host).await {
                Ok(()) => done(host, VERIFIED).await,
                Err(error) => {
                    host.log().warn(format_args!("the versions could not be checked: {}", failure(&error)));
                }
            }
        }
    }

    async fn clear(&self, host: &Host) -> Result<(), Error> {
        if self.vault.keeps_all() {
            return Ok(());
        }
        for key in self.vault.keys().await? {
            let now_unix_ms = host.now_unix_ms();
            self.vault.pack(&key, now_unix_ms).await?;
            self.vault.prune(&key, self.retention.as_ref(), now_unix_ms, false).await?;
        }
        Ok(())
    }

    async fn verify(&self, host: &Host) -> Result<(), Error> {
        let (mut versions, mut damages) = (0, 0);
        for key in self.vault.keys().await? {
            let verified = self.vault.verify(&key).await?;
            versions += verified.versions;
            damages += verified.damaged.len();
            tell(host, &self.vault, &key, &verified.damaged).await;
        }
        if damages == 0 {
            host.log().info(format_args!("all {versions} versions are as they were written"));
        } else {
            host.log().error(format_args!("{damages} of {versions} versions are damaged"));
        }
        Ok(())
    }
}

/// Tells of damage by an event, if the operator lets the plugin make events.
pub(crate) async fn tell(host: &Host, vault: &Vault, key: &str, damage: &[Damage]) {
    if damage.is_empty() {
        return;
    }
    let newest = vault.version(key, None).await.ok();
    let made = match events::damaged(key, newest.as_ref(), damage, host.now_unix_ms()) {
        Ok(event) => host.emit(event).await.map(drop),
        Err(error) => Err(error),
    };
    if let Err(error) = made {
        host.log().warn(format_args!("nobody was told of damage in {key}: {error}"));
    }
}

/// Whether something was not done for so long. What was never done counts from now on.
async fn is_due(host: &Host, key: &str, every: Duration) -> bool {
    let last = match host.state().get(key).await {
        Ok(Some(entry)) => entry.text().parse::<u64>().ok(),
        Ok(None) => None,
        // A gateway that keeps nothing: each start begins anew.
        Err(_) => None,
    };
    let Some(last) = last else {
        done(host, key).await;
        return false;
    };
    let every = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    host.now_unix_ms().saturating_sub(last) >= every
}

async fn done(host: &Host, key: &str) {
    let state: State = host.state();
    let put: Result<u64, StateError> = state.put(key, host.now_unix_ms().to_string(), Expect::Any).await;
    if let Err(error) = put {
        host.log().debug(error);
    }
}

#[cfg(test)]
mod tests;
