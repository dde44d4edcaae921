//! Postroom's domain: what an event is, where it goes, and what becomes of each delivery.
//!
//! Everything here is a value or a pure function. Nothing opens a file, a socket or a clock: the time is an
//! argument, randomness is a seed. The crates around this one bring the outside world to it.

pub mod chain;
pub mod classify;
pub mod delivery;
pub mod event;
pub mod id;
pub mod lane;
pub mod limits;
pub mod monitor;
pub mod outcome;
pub mod rate;
pub mod replay;
pub mod retry;
pub mod route;
pub mod schedule;
pub mod secret;
pub mod time;
