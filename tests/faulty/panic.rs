//! A plugin in Rust without the SDK, whose panics nobody catches. A file and no crate: built by `rustc` alone.
#![crate_type = "cdylib"]

use std::ffi::c_void;

const MANIFEST: &[u8] = br#"{"manifest":1,"id":"faulty-panic","name":"Panic","version":"1.0.0","abi":"1.0","kinds":["*"]}"#;

#[no_mangle]
pub static postroom_manifest_v1: [u8; MANIFEST.len()] = {
    let mut bytes = [0; MANIFEST.len()];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = MANIFEST[at];
        at += 1;
    }
    bytes
};

#[repr(C)]
pub struct Str {
    ptr: *const u8,
    len: usize,
}

/// `postroom_plugin` of ABI 1.0.
#[repr(C)]
pub struct Plugin {
    struct_size: u32,
    abi_major: u16,
    abi_minor: u16,
    flags: u64,
    required_caps: u64,
    describe: usize,
    validate: usize,
    create: extern "C" fn(*const c_void, Str, *mut *mut c_void, *mut c_void) -> i32,
    deliver: extern "C" fn(*mut c_void, u64, *const c_void) -> i32,
    cancel: usize,
    health: usize,
    drain: usize,
    destroy: extern "C" fn(*mut c_void),
}

extern "C" fn create(_: *const c_void, _: Str, _: *mut *mut c_void, _: *mut c_void) -> i32 {
    0
}

extern "C" fn deliver(_: *mut c_void, token: u64, _: *const c_void) -> i32 {
    panic!("no SDK catches this, token {token}")
}

extern "C" fn destroy(_: *mut c_void) {}

static TABLE: Plugin = Plugin {
    struct_size: std::mem::size_of::<Plugin>() as u32,
    abi_major: 1,
    abi_minor: 0,
    flags: 0,
    required_caps: 0,
    describe: 0,
    validate: 0,
    create,
    deliver,
    cancel: 0,
    health: 0,
    drain: 0,
    destroy,
};

#[no_mangle]
pub extern "C" fn postroom_plugin_entry_v1(_: u32, _: u64, _: *mut c_void) -> *const Plugin {
    &TABLE
}
