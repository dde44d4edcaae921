//! Where an HTTP answer ends, and its status: all that the bench reads of one.

use std::io;

/// An answer that is there to its last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Where its body begins.
    pub(crate) body: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

/// Finds the end of the answer that `bytes` begin with; `None` while some of it is missing.
///
/// # Errors
/// When these bytes are no HTTP answer.
pub(crate) fn find(bytes: &[u8]) -> io::Result<Option<Answer>> {
    const LINE_END: &[u8] = b"\r\n";
    let Some(head) = position(bytes, b"\r\n\r\n") else { return Ok(None) };
    let body = head + 4;
    let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let (Some(status), true) = (status, bytes.starts_with(b"HTTP/1.")) else {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no answer of HTTP/1"));
    };
    let mut rest = &bytes[..head + LINE_END.len()];
    while let Some(end) = position(rest, LINE_END) {
        let line = &rest[..end];
        if let Some(length) = value(line, b"content-length:") {
            let length: Option<usize> = std::str::from_utf8(length).ok().and_then(|text| text.parse().ok());
            let end = body + length.ok_or(io::ErrorKind::InvalidData)?;
            return Ok((bytes.len() >= end).then_some(Answer { status, body, end }));
        }
        if value(line, b"transfer-encoding:").is_some() {
            const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
            // Good enough for the short answers of services that are measured here: none has this inside a chunk.
            let last = position(&bytes[body..], LAST_CHUNK);
            return Ok(last.map(|last| Answer { status, body, end: body + last + LAST_CHUNK.len() }));
        }
        rest = &rest[end + LINE_END.len()..];
    }
    // Neither a length nor chunks: such an answer has no body, or the connection's end would end it.
    Ok(Some(Answer { status, body, end: body }))
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (head, value) = line.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

#[cfg(test)]
mod tests;
