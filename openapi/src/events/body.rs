//! The body of an event on its way back to a person.

use poem::{
    Body,
    http::{HeaderValue, header},
};
use poem_openapi::payload::{Binary, Response};

/// A stored body.
#[derive(Debug)]
pub struct EventBody {
    /// The Content-Type header that came with it.
    pub content_type: Option<String>,
    /// The bytes: from memory, or streamed when they are many.
    pub body: Body,
    /// How many they are.
    pub bytes: u64,
}

/// A body as the API gives it.
pub(super) type Download = Response<Binary<Body>>;

impl EventBody {
    /// Names the file after the event. A stranger wrote the body and its type, so a browser must save it and never
    /// show it: as a page of ours it could run scripts with our origin.
    pub(super) fn into_download(self, event_id: &str) -> Download {
        let name: String = event_id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
        let response = Response::new(Binary(self.body))
            .header(header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\""))
            // A stream does not know its length, and without it a reader cannot tell a whole body from a cut one.
            .header(header::CONTENT_LENGTH, self.bytes);
        match self.content_type.and_then(|text| HeaderValue::try_from(text).ok()) {
            Some(content_type) => response.header(header::CONTENT_TYPE, content_type),
            None => response,
        }
    }
}
