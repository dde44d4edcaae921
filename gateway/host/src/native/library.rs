//! Opens a plugin's library and gets at its function table.
#![expect(unsafe_code, reason = "the only dlopen, and the first calls into the plugin")]

use std::{
    ffi::{CStr, c_char, c_void},
    mem::{MaybeUninit, offset_of},
    path::Path,
    ptr,
};

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};
use postroom_abi::{
    ENTRY_SYMBOL, MANIFEST_SYMBOL, POSTROOM_ABI_MAJOR, POSTROOM_ABI_MINOR, POSTROOM_ACTIONS_V1,
    POSTROOM_CAP_CLOCK, POSTROOM_CAP_LOG, POSTROOM_CAP_METRICS, POSTROOM_CAP_PROGRESS, POSTROOM_CAP_SECRETS,
    POSTROOM_CAP_STATE, POSTROOM_E_CONFIG, POSTROOM_OK, POSTROOM_PF_BLOCKING, POSTROOM_PF_SERIAL,
    postroom_action, postroom_action_done, postroom_actions_v1, postroom_entry_fn, postroom_errbuf,
    postroom_event, postroom_host, postroom_plugin, postroom_status, postroom_str, postroom_token,
};

use super::{
    memory::{with_errbuf, with_sink},
    status::Status,
};
use crate::config_fault::{ConfigFault, read_report};

/// What the host offers to plugins.
pub(super) const CAPABILITIES: u64 = POSTROOM_CAP_LOG
    | POSTROOM_CAP_METRICS
    | POSTROOM_CAP_STATE
    | POSTROOM_CAP_SECRETS
    | POSTROOM_CAP_CLOCK
    | POSTROOM_CAP_PROGRESS;

/// The table of 1.0.
const TABLE_BYTES_MIN: usize = offset_of!(postroom_plugin, get_extension);
/// Room for many versions of additions; more is not a size but noise.
const TABLE_BYTES_MAX: usize = 4096;
const REPORT_BYTES_MAX: usize = 1024 * 1024;

/// Why a library is not usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("cannot load the library: {reason}")]
    Open { reason: String },
    #[error("the plugin's entry function gives no table: {reason}")]
    Entry { reason: String },
    #[error("the plugin's table is of ABI major {found}, this gateway speaks {POSTROOM_ABI_MAJOR}")]
    AbiMajor { found: u16 },
    #[error("the plugin's table has {bytes} bytes, {TABLE_BYTES_MIN} to {TABLE_BYTES_MAX} are possible")]
    TableSize { bytes: usize },
    #[error("the plugin's table lacks {function}")]
    Incomplete { function: &'static str },
    #[error(
        "the plugin needs capabilities {missing:#x} that this gateway does not offer: use a newer gateway"
    )]
    Capabilities { missing: u64 },
}

/// Why a configuration did not pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ValidateError {
    #[error("the plugin refuses its config")]
    Refused(Vec<ConfigFault>),
    #[error("the plugin could not check its config: {0}")]
    Failed(Status),
}

type Create = unsafe extern "C" fn(
    *const postroom_host,
    postroom_str,
    *mut *mut c_void,
    *mut postroom_errbuf,
) -> postroom_status;
type Deliver = unsafe extern "C" fn(*mut c_void, postroom_token, *const postroom_event) -> postroom_status;
type Destroy = unsafe extern "C" fn(*mut c_void);
type Run = unsafe extern "C" fn(
    *mut c_void,
    *const postroom_action,
    postroom_action_done,
    *mut c_void,
) -> postroom_status;

/// A loaded plugin: its table, checked and copied.
#[derive(Debug)]
pub(crate) struct Library {
    pub(super) table: postroom_plugin,
    // The functions that the check has found to be there.
    pub(super) create: Create,
    pub(super) deliver: Deliver,
    pub(super) destroy: Destroy,
    pub(super) actions: Option<Actions>,
    /// The manifest as it stands in the file.
    pub(super) manifest: Option<&'static CStr>,
}

/// What the plugin offers as `postroom.actions/1`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Actions {
    pub(super) run: Run,
    pub(super) cancel: Option<unsafe extern "C" fn(*mut c_void, postroom_token)>,
}

/// Loads the library at `path`, for good: it is never closed, because unloading code that has had threads or thread
/// locals is unsound.
///
/// # Safety
/// The library's constructors and its entry function run in this process. The caller accepts that they may do
/// anything this process can.
pub(crate) unsafe fn load(path: &Path) -> Result<Library, LoadError> {
    let open_error = |error: libloading::Error| LoadError::Open { reason: error.to_string() };
    // RTLD_NOW: a missing function is a fault now and not in the middle of a delivery. RTLD_LOCAL: the plugin's symbols
    // serve nobody else. RTLD_NODELETE: not even a dlclose of the plugin's own unloads it.
    let flags = RTLD_NOW | RTLD_LOCAL | libc::RTLD_NODELETE;
    // SAFETY: running the constructors is what the caller accepted.
    let handle = unsafe { Handle::open(Some(path), flags) }.map_err(open_error)?;
    // SAFETY: the contract gives the symbol of this name this type.
    let symbol = unsafe { handle.get::<postroom_entry_fn>(ENTRY_SYMBOL.as_bytes()) }.map_err(open_error)?;
    let entry: postroom_entry_fn = *symbol;
    // SAFETY: the contract gives the symbol of this name a text that ends with NUL.
    let manifest = unsafe { handle.get::<*const c_char>(MANIFEST_SYMBOL.as_bytes()) };
    // SAFETY: as above, and the library stays for good.
    let manifest = manifest.ok().map(|text| unsafe { CStr::from_ptr(*text) });
    std::mem::forget(handle);

    let minor = u32::from(POSTROOM_ABI_MINOR);
    // SAFETY: `entry` is the plugin's entry function, and the buffer lives during the call.
    let (table, reason) = with_errbuf(|err| unsafe { entry(minor, CAPABILITIES, err) });
    if table.is_null() {
        return Err(LoadError::Entry { reason });
    }
    // SAFETY: the contract has the entry give a table that lives for ever.
    let library = check(unsafe { copy_table(table) }?)?;
    Ok(Library { manifest, ..library })
}

/// Copies the part of a plugin's table that it says is there.
///
/// # Safety
/// `table` points to a plugin's table, which begins with its size.
unsafe fn copy_table(table: *const postroom_plugin) -> Result<postroom_plugin, LoadError> {
    // SAFETY: the caller vouches for the table, and every version of it begins with these two fields.
    let bytes = unsafe { (*table).struct_size } as usize;
    // SAFETY: as above.
    let found = unsafe { (*table).abi_major };
    if found != POSTROOM_ABI_MAJOR {
        return Err(LoadError::AbiMajor { found });
    }
    if !(TABLE_BYTES_MIN..=TABLE_BYTES_MAX).contains(&bytes) {
        return Err(LoadError::TableSize { bytes });
    }
    // A field is there as a whole or not at all.
    let bytes =
        if bytes < size_of::<postroom_plugin>() { TABLE_BYTES_MIN } else { size_of::<postroom_plugin>() };
    let mut copy = MaybeUninit::<postroom_plugin>::zeroed();
    // SAFETY: the table says that it has so many bytes, and the copy has room for them.
    unsafe { ptr::copy_nonoverlapping(table.cast::<u8>(), copy.as_mut_ptr().cast::<u8>(), bytes) };
    // SAFETY: zero is a good value for every field that was not copied.
    Ok(unsafe { copy.assume_init() })
}

/// Asks a plugin for its actions.
fn actions(table: &postroom_plugin) -> Result<Option<Actions>, LoadError> {
    let Some(get_extension) = table.get_extension else { return Ok(None) };
    // SAFETY: the function is the plugin's, and the name lives for ever.
    let found = unsafe { get_extension(postroom_str::of(POSTROOM_ACTIONS_V1.as_bytes())) };
    let found = found.cast::<postroom_actions_v1>();
    if found.is_null() {
        return Ok(None);
    }
    let lacks = LoadError::Incomplete { function: "run of postroom.actions/1" };
    // SAFETY: the contract has a table behind this name live for ever, and every version of it begins with its size.
    let bytes = unsafe { (*found).struct_size } as usize;
    if bytes < offset_of!(postroom_actions_v1, cancel) {
        return Err(lacks);
    }
    // SAFETY: the table says that it has this field.
    let run = unsafe { (*found).run };
    let cancel = if bytes < size_of::<postroom_actions_v1>() {
        None
    } else {
        // SAFETY: as above.
        unsafe { (*found).cancel }
    };
    Ok(Some(Actions { run: run.ok_or(lacks)?, cancel }))
}

fn check(table: postroom_plugin) -> Result<Library, LoadError> {
    let missing = table.required_caps & !CAPABILITIES;
    if missing != 0 {
        return Err(LoadError::Capabilities { missing });
    }
    let lacks = |function| LoadError::Incomplete { function };
    Ok(Library {
        create: table.create.ok_or(lacks("create"))?,
        deliver: table.deliver.ok_or(lacks("deliver"))?,
        destroy: table.destroy.ok_or(lacks("destroy"))?,
        actions: actions(&table)?,
        manifest: None,
        table,
    })
}

impl Library {
    /// Whether `deliver` may block its thread.
    pub(crate) const fn blocks(&self) -> bool {
        self.table.flags & POSTROOM_PF_BLOCKING != 0
    }

    /// Whether only one delivery may be in flight.
    pub(crate) const fn is_serial(&self) -> bool {
        self.table.flags & POSTROOM_PF_SERIAL != 0
    }

    /// Whether it has actions.
    pub(crate) const fn acts(&self) -> bool {
        self.actions.is_some()
    }

    /// Has the plugin check a config.
    pub(crate) fn validate(&self, config_json: &str) -> Result<(), ValidateError> {
        let Some(validate) = self.table.validate else { return Ok(()) };
        let config = postroom_str::of(config_json.as_bytes());
        // SAFETY: the function is the plugin's; config and sink live during the call.
        let (status, report) = with_sink(REPORT_BYTES_MAX, |sink| unsafe { validate(config, sink) });
        match status {
            POSTROOM_OK => Ok(()),
            POSTROOM_E_CONFIG => Err(ValidateError::Refused(read_report(&String::from_utf8_lossy(&report)))),
            other => Err(ValidateError::Failed(Status(other))),
        }
    }
}
