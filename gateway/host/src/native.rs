//! Drives one plugin through the C functions of `postroom_plugin.h`.
//!
//! This is the one side of the contract that the gateway has to keep, and the one place that meets the plugin's
//! memory. It knows nothing of processes and sockets: whoever makes an [`Instance`] gives it the [`Services`] that the
//! plugin may call.

mod describe;
mod event;
mod host;
mod instance;
mod library;
mod memory;
mod status;

pub(crate) use self::{
    host::{Host, Services},
    instance::{CreateError, Instance},
    library::{Library, LoadError, ValidateError, load},
    status::Status,
};

#[cfg(test)]
mod tests;
