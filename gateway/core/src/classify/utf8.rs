//! Whether bytes that come in pieces are UTF-8.

/// Checks pieces; a character may be divided between two.
#[derive(Default)]
pub(super) struct Utf8 {
    /// The beginning of a character at the end of the last piece.
    begun: Vec<u8>,
    broken: bool,
}

impl Utf8 {
    pub(super) fn push(&mut self, mut piece: &[u8]) {
        while !self.begun.is_empty() && !piece.is_empty() && !self.broken {
            self.begun.push(piece[0]);
            piece = &piece[1..];
            match std::str::from_utf8(&self.begun) {
                Ok(_) => self.begun.clear(),
                Err(error) => self.broken = error.error_len().is_some(),
            }
        }
        if self.broken {
            return;
        }
        if let Err(error) = std::str::from_utf8(piece) {
            self.broken = error.error_len().is_some();
            self.begun.extend_from_slice(&piece[error.valid_up_to()..]);
        }
    }

    /// Whether all pieces together are valid.
    pub(super) fn is_valid(&self) -> bool {
        !self.broken && self.begun.is_empty()
    }
}
