//! Server-sent events out of the pieces in which they come.

/// The longest message: that of an event with all that its sender may write into it is far shorter.
const FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;

/// What has come and was not given yet.
#[derive(Debug, Default)]
pub(super) struct Frames {
    bytes: Vec<u8>,
}

/// The lines up to an empty one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) id: Option<String>,
    /// Without one it is no message.
    pub(super) topic: Option<String>,
    pub(super) data: String,
    /// How long to wait before the next try, in milliseconds.
    pub(super) retry_ms: Option<u64>,
}

/// More came than a message may be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Frames {
    pub(super) fn add(&mut self, piece: &[u8]) -> Result<(), TooLong> {
        self.bytes.extend_from_slice(piece);
        if self.bytes.len() > FRAME_BYTES_MAX { Err(TooLong) } else { Ok(()) }
    }

    /// The next whole frame.
    pub(super) fn next(&mut self) -> Option<Frame> {
        let end = self.bytes.windows(2).position(|ends| ends == b"\n\n")?;
        let text = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes.drain(..end + 2);
        let mut frame = Frame::default();
        for line in text.lines() {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => frame.id = Some(value.to_owned()),
                "event" => frame.topic = Some(value.to_owned()),
                "data" => {
                    if !frame.data.is_empty() {
                        frame.data.push('\n');
                    }
                    frame.data.push_str(value);
                }
                "retry" => frame.retry_ms = value.parse().ok(),
                // A comment, or what a later gateway says.
                _ => {}
            }
        }
        Some(frame)
    }
}

#[cfg(test)]
mod tests;
