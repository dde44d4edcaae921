//! What a Postman collection is: a crate of its own, which opens no file and no connection.

pub(crate) use postroom_collection::*;
