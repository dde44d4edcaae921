//! The body of an event on its way to a plugin.

use std::{fs::File, io, sync::Arc};

use bytes::Bytes;
use rustix::fs::{OFlags, fcntl_getfl, fstat};

use crate::wire::TO_CHILD_BYTES_MAX;

/// Largest body that a plugin can be given as [`PluginBody::Bytes`]: it travels inside a frame. A file has no bound of
/// its own, because neither side holds more of it than the plugin reads; what a source takes in bounds it.
pub const PLUGIN_BODY_BYTES_MAX: usize = TO_CHILD_BYTES_MAX - HEAD_BYTES_MAX;
/// Room in a frame for all that is not the body.
const HEAD_BYTES_MAX: usize = 1024 * 1024;

/// The body of an event, as it was sent.
#[derive(Debug, Clone)]
pub enum PluginBody {
    /// In memory. Goes through the socket.
    Bytes(Bytes),
    /// A file that nobody changes. The plugin's process gets its descriptor and maps it.
    File {
        /// Opened for reading only.
        file: Arc<File>,
        /// Its length, which is all of the body.
        bytes: u64,
    },
}

/// Why a body cannot be given to a plugin.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    #[error(
        "the body has {bytes} bytes, {PLUGIN_BODY_BYTES_MAX} can be sent to a plugin: keep larger ones as files"
    )]
    TooLarge { bytes: usize },
    #[error("the file of the body is open for writing: open it for reading only")]
    Writable,
    #[error("the file of the body has {found} bytes instead of {expected}: something has changed it")]
    Length { expected: u64, found: u64 },
    #[error("the file of the body cannot be looked at: {0}")]
    Io(#[from] io::Error),
}

impl PluginBody {
    /// Looks whether a plugin may have this. A plugin must not be able to change what others read, and a mapping that is
    /// longer than its file is a crash.
    pub(crate) fn check(&self) -> Result<(), BodyFault> {
        match self {
            Self::Bytes(body) if body.len() > PLUGIN_BODY_BYTES_MAX => {
                Err(BodyFault::TooLarge { bytes: body.len() })
            }
            Self::Bytes(_) => Ok(()),
            Self::File { file, bytes } => {
                if fcntl_getfl(file).map_err(io::Error::from)? & OFlags::ACCMODE != OFlags::RDONLY {
                    return Err(BodyFault::Writable);
                }
                let found = u64::try_from(fstat(file).map_err(io::Error::from)?.st_size).unwrap_or(0);
                if found == *bytes { Ok(()) } else { Err(BodyFault::Length { expected: *bytes, found }) }
            }
        }
    }
}

#[cfg(test)]
mod tests;
