//! Doubles of what a gateway delivers to: real servers on ports of their own, strict about what the real ones refuse.
//!
//! A double answers by its [`Rules`] unless a test has scripted the next replies. It keeps every request, and lets a
//! test wait for the n-th.

mod gate;
mod itoc360;
mod journal;
mod postman_api;
mod postman_collections;
mod receiver;
mod reply;
mod request;
mod scripts;
mod server;
pub mod vendor;

pub use gate::Gate;
pub use itoc360::{Incident, Itoc360, Provider};
pub use postman_api::PostmanApi;
pub use postman_collections::{Habits, PostmanCollections, Trouble};
pub use receiver::Receiver;
pub use reply::Reply;
pub use request::Request;
pub use server::{Double, Rules};
