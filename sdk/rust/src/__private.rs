//! What `#[postroom_plugin]` expands to needs. No part of the API: it changes with the attribute.

pub use postroom_abi::{
    POSTROOM_CAP_CLOCK, POSTROOM_CAP_LOG, POSTROOM_CAP_METRICS, POSTROOM_CAP_PROGRESS, POSTROOM_CAP_SECRETS,
    POSTROOM_CAP_STATE, postroom_errbuf, postroom_plugin,
};

pub use crate::{
    declared::{Declared, config_schema},
    schema::{check_actions_file, check_schema_file},
};
use crate::{ffi::Entry, plugin::Plugin};

#[must_use]
pub fn table<P: Plugin>() -> *const postroom_plugin {
    Entry::<P>::TABLE
}

/// The bytes of a text of `N` bytes.
#[must_use]
pub const fn bytes<const N: usize>(text: &str) -> [u8; N] {
    let mut bytes = [0; N];
    bytes.copy_from_slice(text.as_bytes());
    bytes
}
