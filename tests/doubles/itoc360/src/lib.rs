//! ITOC360's Events API, as far as its SDKs and documents show it, without the network: a request is a value and so is its
//! reply. Tests put a server around it, and so does `postroom demo`.
//!
//! It is strict where the real one is, and keeps incidents by the same rule: of a source, what has the same fingerprint is
//! one incident; an alert opens it or updates it, a resolve ends it.

mod double;
mod incident;
mod page;
mod rules;

pub use self::{
    double::{Itoc360, Provider, Reply, Request},
    incident::Incident,
};
