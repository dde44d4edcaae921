//! The boundary: the only unsafe code of this crate beside the test host in `testing`.
//!
//! What it rests on is the contract in `postroom_plugin.h`: borrowed inputs live until the call returns, an event until
//! it is completed, and the host's table for the life of the process. In return this module sees to it that every
//! accepted delivery is completed exactly once and that no panic gets out.

#![expect(unsafe_code, reason = "calls and is called by C")]

mod action;
mod emit;
mod entry;
mod host_table;
mod lease;
mod out;
mod sized;
mod state;

pub(crate) use self::{
    action::ActionLease,
    emit::EmitAnswer,
    entry::Entry,
    host_table::HostTable,
    lease::{Ending, Lease, Leases},
    state::{StateAnswer, StateOp},
};
#[cfg(feature = "testing")]
pub(crate) use self::{out::sink_into, sized::read};
