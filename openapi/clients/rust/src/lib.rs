#![doc = include_str!("../README.md")]

#[expect(
    clippy::all,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::uninlined_format_args,
    clippy::unwrap_used,
    reason = "made by a generator, which has its own rules"
)]
pub mod api;
mod client;
mod error;
mod list;

pub use api::{ByteStream, ResponseValue, builder, types};
pub use client::Client;
pub use error::Error;
pub use list::{List, Page};
