//! Reloads, as a person asks for them.

use postroom_core::id::DestinationName;
use postroom_openapi::{
    auth::Caller,
    destinations::Destination,
    port::ActionError,
    reload::{Configuration, Reload},
};

use super::{Api, audit, errors::unseen};
use crate::{
    config::settings::Changes,
    reload::{Applied, InForce, Refusal},
};

impl Api {
    pub(super) fn in_force(&self) -> Configuration {
        configuration(self.0.reloader.in_force())
    }

    /// Says itself in the log by whom.
    pub(super) async fn renew(&self, by: &Caller) -> Result<Reload, ActionError> {
        by.note.before(audit::in_force(&self.0.reloader.in_force()));
        let applied = self.0.reloader.reload(&by.name).await.map_err(|refusal| {
            refused("the configuration is not reloaded, and nothing has changed", refusal)
        })?;
        by.note.after(audit::applied(&applied));
        let Applied { in_force, changes, unchanged } = applied;
        let Changes { applied, needs_restart, reloaded, rotated, added, removed } = changes;
        let Configuration { generation, fingerprint } = configuration(in_force);
        Ok(Reload {
            generation,
            fingerprint,
            reloaded: names(&reloaded),
            rotated: names(&rotated),
            added: names(&added),
            removed: names(&removed),
            unchanged: names(&unchanged),
            applied,
            needs_restart,
        })
    }

    /// Says itself in the log by whom.
    pub(super) async fn renew_destination(
        &self,
        name: &str,
        by: &Caller,
    ) -> Result<Option<Destination>, ActionError> {
        let reloaded =
            self.0.reloader.reload_destination(name, &by.name).await.map_err(|refusal| {
                refused("the plugin is not reloaded, and what ran before goes on", refusal)
            })?;
        let Some(reloaded) = reloaded else { return Ok(None) };
        by.note.after(audit::reloaded(&reloaded));
        self.described_one(name).await.map_err(unseen)
    }
}

fn configuration(in_force: InForce) -> Configuration {
    let InForce { generation, fingerprint } = in_force;
    Configuration { generation, fingerprint }
}

fn names<'a>(names: impl IntoIterator<Item = &'a DestinationName>) -> Vec<String> {
    names.into_iter().map(DestinationName::to_string).collect()
}

fn refused(what: &str, refusal: Refusal) -> ActionError {
    match refusal {
        Refusal::Faulty(reasons) => ActionError::Faulty { what: what.to_owned(), reasons },
        Refusal::Stopping => ActionError::Unavailable { reason: "the gateway is stopping".to_owned() },
    }
}
