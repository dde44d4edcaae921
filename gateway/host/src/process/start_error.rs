//! Why a plugin process did not become ready.

use std::{error::Error, io, path::PathBuf, time::Duration};

use super::Exit;
use crate::{
    config_fault::{self, ConfigFault},
    mask::Mask,
    sealed::SealError,
    wire::ToGateway,
};

const FAILURE_BYTES_MAX: usize = 4 * 1024;

/// Why a plugin process did not become ready.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("cannot start a plugin process from {}", program.display())]
    Spawn { program: PathBuf, source: io::Error },
    #[error(transparent)]
    Library(#[from] SealError),
    #[error("the plugin refuses its config: {}", config_fault::list(.0))]
    Refused(Vec<ConfigFault>),
    #[error("{0}")]
    Failed(String),
    #[error("the plugin process ended while starting: {0}")]
    Ended(Exit),
    #[error("the plugin was not ready within {0:?}")]
    TooSlow(Duration),
}

impl StartError {
    /// The whole story in one line.
    pub(crate) fn with_cause(&self) -> String {
        self.source().map_or_else(|| self.to_string(), |cause| format!("{self}: {cause}"))
    }

    /// What it means that the first answer of a process is not the hoped one.
    pub(super) fn of(answer: ToGateway, mask: &Mask) -> Self {
        match answer {
            ToGateway::Refused { faults } => Self::Refused(config_fault::accept(faults, mask)),
            ToGateway::Failed { message } => Self::Failed(mask.one_line(&message, FAILURE_BYTES_MAX)),
            _ => Self::Failed("the plugin process gave an answer to another question".to_owned()),
        }
    }
}
