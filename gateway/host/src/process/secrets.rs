//! Secrets that take the place of others while the process runs.

use std::{
    collections::BTreeMap,
    sync::{PoisonError, atomic::Ordering},
};

use postroom_core::secret::Secret;
use tokio::sync::mpsc::error::TrySendError;

use super::Process;
use crate::wire::Frame;

impl Process {
    /// Gives the plugin other secrets. What it said with the old ones is masked as before.
    pub(crate) fn replace_secrets(&self, secrets: &BTreeMap<String, Secret>) {
        // First: the plugin may use them at once.
        let given = self.mask.give(secrets.values());
        *self.given.lock().unwrap_or_else(PoisonError::into_inner) = given;
        let number = self.secrets_number.fetch_add(1, Ordering::Relaxed) + 1;
        if let Err(TrySendError::Full(frame)) = self.outgoing.try_send(Frame::secrets(number, secrets)) {
            // It is behind with its frames. Of several that wait, the number tells the newest.
            let outgoing = self.outgoing.clone();
            tokio::spawn(async move { outgoing.send(frame).await });
        }
    }
}
