//! What a plugin offers to the host.

use core::ffi::c_void;

use crate::{
    postroom_errbuf, postroom_event, postroom_host, postroom_sink, postroom_status, postroom_str,
    postroom_token,
};

/// Major version: part of the symbols' names.
pub const POSTROOM_ABI_MAJOR: u16 = 1;
/// Minor version: structs only grow at the end.
pub const POSTROOM_ABI_MINOR: u16 = 1;

/// Name of the symbol of the static manifest.
pub const MANIFEST_SYMBOL: &str = "postroom_manifest_v1";
/// Name of the symbol of the entry function, a [`postroom_entry_fn`].
pub const ENTRY_SYMBOL: &str = "postroom_plugin_entry_v1";

/// `deliver` blocks: the host calls it on a bounded thread pool.
pub const POSTROOM_PF_BLOCKING: u64 = 1 << 0;
/// At most one delivery of an instance is in flight.
pub const POSTROOM_PF_SERIAL: u64 = 1 << 1;

/// The plugin's functions. `create`, `deliver` and `destroy` must be there; the others may be `None`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct postroom_plugin {
    /// Size of this struct as the plugin was compiled.
    pub struct_size: u32,
    /// Major version the plugin was compiled for.
    pub abi_major: u16,
    /// Minor version the plugin was compiled for.
    pub abi_minor: u16,
    /// `POSTROOM_PF_*`.
    pub flags: u64,
    /// `POSTROOM_CAP_*` that the plugin cannot live without.
    pub required_caps: u64,
    /// Writes the full manifest when it is computed by code.
    pub describe: Option<unsafe extern "C" fn(manifest_json: *mut postroom_sink) -> postroom_status>,
    /// Checks a config without side effects and writes `{"errors":[{"path","message"}]}`.
    pub validate: Option<
        unsafe extern "C" fn(config_json: postroom_str, report_json: *mut postroom_sink) -> postroom_status,
    >,
    /// Makes an instance. On any answer but OK nothing was made and `err` says why.
    pub create: Option<
        unsafe extern "C" fn(
            host: *const postroom_host,
            config_json: postroom_str,
            instance: *mut *mut c_void,
            err: *mut postroom_errbuf,
        ) -> postroom_status,
    >,
    /// Takes one delivery; after OK exactly one `complete` follows, otherwise none.
    pub deliver: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            token: postroom_token,
            event: *const postroom_event,
        ) -> postroom_status,
    >,
    /// The host gave this delivery up; `complete` is still called and answered stale.
    pub cancel: Option<unsafe extern "C" fn(instance: *mut c_void, token: postroom_token)>,
    /// OK, `POSTROOM_E_UNAVAILABLE` or `POSTROOM_E_CONFIG`, with a JSON object or nothing.
    pub health: Option<
        unsafe extern "C" fn(instance: *mut c_void, detail_json: *mut postroom_sink) -> postroom_status,
    >,
    /// No more deliveries will come; flush.
    pub drain: Option<unsafe extern "C" fn(instance: *mut c_void, deadline_unix_ms: u64)>,
    /// Stops all threads and releases the instance.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// Since 1.1: a whole optional interface by name, a table that lives for ever; null if absent.
    pub get_extension: Option<unsafe extern "C" fn(id: postroom_str) -> *const c_void>,
}

/// The entry: a table that lives for ever, or null with the reason in `err`.
pub type postroom_entry_fn = unsafe extern "C" fn(
    host_minor: u32,
    host_caps: u64,
    err: *mut postroom_errbuf,
) -> *const postroom_plugin;
