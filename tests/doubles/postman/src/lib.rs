//! Postman's API as far as collections go, from its public reference. It does nothing but answer: who uses it brings the
//! connection and the time. Strict: what the reference does not allow is refused as Postman refuses it.

mod postman;
mod shape;

pub use self::postman::{Habits, Postman, Reply, Request, Trouble};
