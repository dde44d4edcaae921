//! Decodes one string or number of a body, as much of it as is kept.

/// A text under way: the first bytes of it, decoded.
#[derive(Debug, Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    bytes_max: usize,
    /// The first half of a character that JSON writes as two escapes.
    high: Option<u32>,
    /// An escape stands for no character.
    broken: bool,
}

impl Text {
    /// Begins a text of which at most `bytes_max` bytes are kept.
    pub(super) fn begin(&mut self, bytes_max: usize) {
        self.bytes.clear();
        (self.bytes_max, self.high, self.broken) = (bytes_max, None, false);
    }

    /// Takes bytes as they stand.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.broken |= self.high.take().is_some();
        // A character more than is kept, so that the end is known to be cut.
        let room = (self.bytes_max + 4).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Takes what `\uXXXX` stands for.
    pub(super) fn push_unit(&mut self, unit: u32) {
        let code = match (self.high.take(), unit) {
            (Some(high), 0xDC00..=0xDFFF) => 0x1_0000 + ((high - 0xD800) << 10) + (unit - 0xDC00),
            (None, 0xD800..=0xDBFF) => {
                self.high = Some(unit);
                return;
            }
            (Some(_), _) => {
                self.broken = true;
                return;
            }
            (None, unit) => unit,
        };
        match char::from_u32(code) {
            Some(character) => self.push(character.encode_utf8(&mut [0; 4]).as_bytes()),
            None => self.broken = true,
        }
    }

    /// The text, cut at a character; `None` when it is none.
    pub(super) fn finish(&mut self) -> Option<&str> {
        if self.broken || self.high.is_some() {
            return None;
        }
        let text = match std::str::from_utf8(&self.bytes) {
            Ok(text) => text,
            // Cut within a character, or the whole body is refused for it.
            Err(error) => std::str::from_utf8(&self.bytes[..error.valid_up_to()]).ok()?,
        };
        Some(&text[..text.floor_char_boundary(self.bytes_max)])
    }

    /// Whether it was longer than what is kept.
    pub(super) fn is_cut(&self) -> bool {
        self.bytes.len() > self.bytes_max
    }
}
