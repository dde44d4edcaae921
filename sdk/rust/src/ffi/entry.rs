//! The functions of a plugin's table, for any author's type.
//!
//! `extern "C"` and not `"C-unwind"` on purpose: should a panic get past the barrier, the process aborts instead of
//! unwinding into the host.

use std::{ffi::c_void, marker::PhantomData, sync::Arc};

use postroom_abi::{
    self as abi, postroom_errbuf, postroom_event, postroom_host, postroom_plugin, postroom_sink,
    postroom_status, postroom_str, postroom_token,
};
use serde_json::json;

use super::{host_table::HostTable, lease::Lease, out, sized};
use crate::{
    config::{self, Report},
    declared,
    instance::{Instance, NotCreated},
    panic::guard,
    plugin::{CreateError, Health, Plugin},
};

/// Holds the table of the plugin `P`.
pub(crate) struct Entry<P>(PhantomData<P>);

impl<P: Plugin> Entry<P> {
    /// The table, which lives as long as the process.
    pub(crate) const TABLE: &'static postroom_plugin = &postroom_plugin {
        struct_size: abi::layout::size_of_u32::<postroom_plugin>(),
        abi_major: abi::POSTROOM_ABI_MAJOR,
        abi_minor: abi::POSTROOM_ABI_MINOR,
        flags: 0,
        required_caps: HostTable::REQUIRED | P::DECLARED.capabilities,
        describe: match P::DECLARED.config_schema {
            Some(_) => Some(Self::describe),
            None => None,
        },
        validate: Some(Self::validate),
        create: Some(Self::create),
        deliver: Some(Self::deliver),
        cancel: Some(Self::cancel),
        health: Some(Self::health),
        drain: Some(Self::drain),
        destroy: Some(Self::destroy),
        get_extension: Some(Self::get_extension),
    };

    /// # Safety
    ///
    /// As `describe` in the header.
    unsafe extern "C" fn describe(manifest_json: *mut postroom_sink) -> postroom_status {
        match guard(declared::describe::<P>) {
            Ok(Some(manifest)) => {
                // SAFETY: the caller's sink, for this call.
                unsafe { out::write(manifest_json, &manifest.to_string()) }
            }
            Ok(None) => abi::POSTROOM_E_INTERNAL,
            Err(_) => abi::POSTROOM_E_PANIC,
        }
    }

    /// # Safety
    ///
    /// As `validate` in the header.
    unsafe extern "C" fn validate(
        config_json: postroom_str,
        report_json: *mut postroom_sink,
    ) -> postroom_status {
        // SAFETY: borrowed for this call.
        let config_json = unsafe { config_json.bytes() };
        let checked = guard(|| {
            let report = check::<P>(config_json);
            let json = serde_json::to_string(&report).unwrap_or_default();
            (report.errors().is_empty(), json)
        });
        let (status, json) = match checked {
            Ok((true, json)) => (abi::POSTROOM_OK, json),
            Ok((false, json)) => (abi::POSTROOM_E_CONFIG, json),
            Err(message) => {
                let mut report = Report::default();
                report.error("", format!("the plugin panicked while it checked its config: {message}"));
                (abi::POSTROOM_E_PANIC, serde_json::to_string(&report).unwrap_or_default())
            }
        };
        // SAFETY: the caller's sink, for this call.
        let written = unsafe { out::write(report_json, &json) };
        if status == abi::POSTROOM_OK { written } else { status }
    }

    /// # Safety
    ///
    /// As `create` in the header.
    unsafe extern "C" fn create(
        host: *const postroom_host,
        config_json: postroom_str,
        instance: *mut *mut c_void,
        err: *mut postroom_errbuf,
    ) -> postroom_status {
        // SAFETY: the host's table, which lives as long as the process.
        let host = unsafe { HostTable::read(host) };
        // SAFETY: borrowed for this call.
        let config_json = unsafe { config_json.bytes() };
        let (status, message) = match host {
            Some(host) => match guard(|| Instance::<P>::create(Arc::new(host), config_json)) {
                Ok(Ok(made)) => {
                    let made = Box::into_raw(Box::new(made));
                    // SAFETY: the caller's place for the result.
                    unsafe { instance.write(made.cast()) };
                    return abi::POSTROOM_OK;
                }
                Ok(Err(NotCreated::Refused(CreateError::Config(message)))) => {
                    (abi::POSTROOM_E_CONFIG, message)
                }
                Ok(Err(NotCreated::Refused(CreateError::Unavailable(message)))) => {
                    (abi::POSTROOM_E_UNAVAILABLE, message)
                }
                Ok(Err(NotCreated::Panicked(message))) | Err(message) => {
                    (abi::POSTROOM_E_PANIC, format!("the plugin panicked while it started: {message}"))
                }
            },
            None => (
                abi::POSTROOM_E_UNSUPPORTED,
                "the host lacks log, secrets or clock, which this plugin needs".into(),
            ),
        };
        // SAFETY: the caller's buffer, for this call.
        unsafe { out::set_error(err, &message) };
        status
    }

    /// # Safety
    ///
    /// As `deliver` in the header.
    unsafe extern "C" fn deliver(
        instance: *mut c_void,
        token: postroom_token,
        event: *const postroom_event,
    ) -> postroom_status {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        // SAFETY: the host's event, null or as long as its size says.
        let Some(event) = (unsafe { sized::read(event) }) else { return abi::POSTROOM_E_INVALID };
        // SAFETY: the event that the host just handed over for this token.
        let lease = unsafe { Lease::new(instance.host(), token, event, instance.leases()) };
        // From here on the lease completes, whatever happens: so the delivery counts as accepted even after a panic.
        drop(guard(|| instance.deliver(token, lease)));
        abi::POSTROOM_OK
    }

    /// # Safety
    ///
    /// As `cancel` in the header.
    unsafe extern "C" fn cancel(instance: *mut c_void, token: postroom_token) {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        drop(guard(|| instance.cancel(token)));
    }

    /// # Safety
    ///
    /// As `health` in the header.
    unsafe extern "C" fn health(instance: *mut c_void, detail_json: *mut postroom_sink) -> postroom_status {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        let (status, message) = match guard(|| instance.health()) {
            Ok(Health::Ok) => return abi::POSTROOM_OK,
            Ok(Health::Unavailable(message)) => (abi::POSTROOM_E_UNAVAILABLE, message),
            Ok(Health::Misconfigured(message)) => (abi::POSTROOM_E_CONFIG, message),
            Err(message) => (abi::POSTROOM_E_PANIC, format!("the plugin panicked: {message}")),
        };
        // The status matters more than its detail, so a full sink changes nothing.
        // SAFETY: the caller's sink, for this call.
        let _written = unsafe { out::write(detail_json, &json!({ "message": message }).to_string()) };
        status
    }

    /// # Safety
    ///
    /// As `drain` in the header.
    unsafe extern "C" fn drain(instance: *mut c_void, deadline_unix_ms: u64) {
        // SAFETY: made by `create` and not yet destroyed.
        let instance = unsafe { Self::instance(instance) };
        drop(guard(|| instance.drain(deadline_unix_ms)));
    }

    /// # Safety
    ///
    /// As `destroy` in the header.
    unsafe extern "C" fn destroy(instance: *mut c_void) {
        // SAFETY: made by `create` with `Box::into_raw`, and destroyed once.
        let instance = unsafe { Box::from_raw(instance.cast::<Instance<P>>()) };
        drop(guard(|| instance.destroy()));
    }

    /// # Safety
    ///
    /// `instance` was made by `create` and is not destroyed during `'a`.
    pub(super) unsafe fn instance<'a>(instance: *mut c_void) -> &'a Instance<P>
    where
        Instance<P>: Send + Sync,
    {
        // SAFETY: by the caller; only shared references are made until `destroy`.
        unsafe { &*instance.cast::<Instance<P>>() }
    }
}

fn check<P: Plugin>(config_json: &[u8]) -> Report {
    let mut report = Report::default();
    match config::parse_for::<P>(config_json) {
        Ok(config) => P::validate(&config, &mut report),
        Err(faults) => faults.into_iter().for_each(|fault| report.error(fault.path, fault.message)),
    }
    report
}
