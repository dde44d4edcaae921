//! What is made of the document: every operation at [`api::Client`](Client), which [`crate::Client`] is by deref.

include!(concat!(env!("OUT_DIR"), "/api.rs"));
