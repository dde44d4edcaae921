//! Postroom as its users meet it: the real program in its own process, real sockets, and doubles of the outside world.
//!
//! [`harness`] starts gateways and talks to them; [`doubles`] are the servers that gateways deliver to.
//! [`chaos`] lets everything go wrong at once and keeps the books. The tests themselves are in `it/`, one module for each
//! thing that Postroom promises.

pub mod chaos;
pub mod doubles;
pub mod harness;
pub mod stories;
