//! What a request's header says about its body.

use poem::http::{HeaderMap, header};

/// Length and coding of a body, as announced.
#[derive(Debug, Clone)]
pub(crate) struct Framing {
    /// The announced length in bytes; `None` when the body is chunked.
    pub(super) length: Option<u64>,
    pub(super) encoding: Encoding,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Other,
}

impl Framing {
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        // Several codings in one header or in many are possible by the standard; nobody sends them.
        let mut codings = headers.get_all(header::CONTENT_ENCODING).iter();
        let encoding = match (codings.next().map(|value| value.as_bytes().trim_ascii()), codings.next()) {
            (None, _) => Encoding::Identity,
            (Some(coding), None) if coding.is_empty() || coding.eq_ignore_ascii_case(b"identity") => {
                Encoding::Identity
            }
            (Some(coding), None)
                if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") =>
            {
                Encoding::Gzip
            }
            _ => Encoding::Other,
        };
        Self { length, encoding }
    }
}
