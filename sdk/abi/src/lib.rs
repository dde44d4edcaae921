//! The Postroom plugin ABI, version 1.1: a `#[repr(C)]` mirror of `sdk/c/postroom_plugin.h`.
//!
//! The header is the contract and holds the rules of memory, threads and versions; the doc comments here only say
//! what a reader of Rust needs. Names are the header's, so that a search finds both sides. A test compiles C against
//! the header and compares every offset, size and constant, and `golden` freezes them for each released minor: only appending is possible.
//!
//! Plugin authors use `postroom-sdk`, which hides all of this.

#![no_std]
#![warn(missing_docs)]
#![expect(non_camel_case_types, reason = "the names are those of the C header")]

mod status;
mod text;

mod actions;
mod emit;
mod event;
mod outcome;
mod state;

mod host;
mod plugin;

pub mod layout;

pub use self::{actions::*, emit::*, event::*, host::*, outcome::*, plugin::*, state::*, status::*, text::*};
