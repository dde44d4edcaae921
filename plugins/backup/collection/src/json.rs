//! Reads JSON text in one pass without building values: what is found are slices of the text.
//!
//! A reader of our own because a backup must be kept whatever is in it: half a surrogate pair in the answer of a server
//! is legal JSON text, and `serde_json` refuses to read such a string. What passes here is also taken by its `RawValue`.

mod members;
mod strings;
mod values;

use thiserror::Error;

pub use self::values::to_value;
pub(crate) use self::{
    members::{Member, elements, last_of_each, member, members},
    strings::{decode, lossy, quoted, text},
};

/// How deep arrays and objects may stand in each other: what `serde_json` reads, so that whatever is accepted here can be
/// converted later.
pub const DEPTH_MAX: u32 = 127;

/// Why bytes are no collection.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Unreadable {
    #[error("the text is not UTF-8 after {at} bytes")]
    NotUtf8 { at: usize },
    #[error("no JSON at byte {at}: {expected} expected")]
    NotJson { at: usize, expected: &'static str },
    #[error("arrays and objects stand more than {DEPTH_MAX} deep in each other at byte {at}")]
    TooDeep { at: usize },
    #[error("the text is longer than 4 GiB")]
    TooLong,
    #[error("a collection is a JSON object, and this is none")]
    NoObject,
    #[error("a key has half a surrogate pair at byte {at}, which no change can name")]
    OddKey { at: usize },
}

/// What kind of value comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Object,
    Array,
    String,
    /// A number, `true`, `false` or `null`.
    Other,
}

/// A place in a JSON text.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// Where the next value begins, in bytes.
    pub(crate) fn at(&mut self) -> usize {
        self.blanks();
        self.at
    }

    pub(crate) fn next(&mut self) -> Result<Next, Unreadable> {
        self.blanks();
        match self.byte() {
            Some(b'{') => Ok(Next::Object),
            Some(b'[') => Ok(Next::Array),
            Some(b'"') => Ok(Next::String),
            Some(_) => Ok(Next::Other),
            None => Err(self.expected("a value")),
        }
    }

    /// Reads an object: `each` gets the key as it is written, with its quotes, and must read the value.
    pub(crate) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, &'a str) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.enter(b'{', "an object")?;
        if !self.took(b'}') {
            loop {
                self.blanks();
                let key = self.string()?;
                self.take(b':', "a colon")?;
                each(self, key)?;
                if !self.took(b',') {
                    break;
                }
            }
            self.take(b'}', "a comma or the end of the object")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array: `each` must read one element.
    pub(crate) fn array(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        self.enter(b'[', "an array")?;
        if !self.took(b']') {
            loop {
                each(self)?;
                if !self.took(b',') {
                    break;
                }
            }
            self.take(b']', "a comma or the end of the array")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads any value and gives its text.
    pub(crate) fn skip(&mut self) -> Result<&'a str, Unreadable> {
        let kind = self.next()?;
        let start = self.at;
        match kind {
            Next::Object => self.object(|reader, _| reader.skip().map(|_| ()))?,
            Next::Array => self.array(|reader| reader.skip().map(|_| ()))?,
            Next::String | Next::Other => return self.scalar(),
        }
        Ok(&self.text[start..self.at])
    }

    /// Reads a value that is neither object nor array and gives its text.
    pub(crate) fn scalar(&mut self) -> Result<&'a str, Unreadable> {
        self.blanks();
        match self.byte() {
            Some(b'"') => self.string(),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(self.expected("a value")),
        }
    }

    /// The text that was read since `start`, an earlier state of this reader.
    pub(crate) fn since(&self, start: Self) -> &'a str {
        &self.text[start.at..self.at]
    }

    /// Whether there is nothing more, which must hold behind the last value.
    pub(crate) fn end(&mut self) -> Result<(), Unreadable> {
        self.blanks();
        if self.at == self.text.len() { Ok(()) } else { Err(self.expected("the end")) }
    }

    /// Passes over a byte order mark: some editors put one before a file, which may stand inside of another then.
    pub(crate) fn byte_order_mark(&mut self) {
        self.blanks();
        if self.text[self.at..].starts_with('\u{feff}') {
            self.at += '\u{feff}'.len_utf8();
        }
    }

    fn string(&mut self) -> Result<&'a str, Unreadable> {
        let start = self.at;
        if self.byte() != Some(b'"') {
            return Err(self.expected("a string"));
        }
        let bytes = self.text.as_bytes();
        let mut at = start + 1;
        loop {
            let rest = &bytes[at..];
            let Some(plain) = rest.iter().position(|&byte| byte == b'"' || byte == b'\\' || byte < 0x20)
            else {
                self.at = bytes.len();
                return Err(self.expected("the end of the string"));
            };
            at += plain + 1;
            match bytes[at - 1] {
                b'"' => break,
                b'\\' => {
                    let hex = |digits: &[u8]| digits.len() == 4 && digits.iter().all(u8::is_ascii_hexdigit);
                    match bytes.get(at) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => at += 1,
                        Some(b'u') if hex(bytes.get(at + 1..at + 5).unwrap_or_default()) => at += 5,
                        _ => {
                            self.at = at;
                            return Err(self.expected("an escape"));
                        }
                    }
                }
                _ => {
                    self.at = at - 1;
                    return Err(self.expected("no control character"));
                }
            }
        }
        self.at = at;
        Ok(&self.text[start..at])
    }

    fn number(&mut self) -> Result<&'a str, Unreadable> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        match self.byte() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn digits(&mut self) -> Result<(), Unreadable> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(self.expected("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static str) -> Result<&'a str, Unreadable> {
        if !self.text[self.at..].starts_with(word) {
            return Err(self.expected(word));
        }
        let start = self.at;
        self.at += word.len();
        Ok(&self.text[start..self.at])
    }

    fn enter(&mut self, open: u8, what: &'static str) -> Result<(), Unreadable> {
        self.take(open, what)?;
        if self.depth == DEPTH_MAX {
            return Err(Unreadable::TooDeep { at: self.at - 1 });
        }
        self.depth += 1;
        Ok(())
    }

    fn take(&mut self, byte: u8, expected: &'static str) -> Result<(), Unreadable> {
        if self.took(byte) { Ok(()) } else { Err(self.expected(expected)) }
    }

    fn took(&mut self, byte: u8) -> bool {
        self.blanks();
        let took = self.byte() == Some(byte);
        self.at += usize::from(took);
        took
    }

    fn blanks(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expected(&self, expected: &'static str) -> Unreadable {
        Unreadable::NotJson { at: self.at, expected }
    }
}

/// The text of the collection that `bytes` hold. A byte order mark before it is passed over, and it may be the value of
/// `collection`, as in Postman's webhooks and its API.
pub(crate) fn collection(bytes: &[u8]) -> Result<&str, Unreadable> {
    let whole =
        std::str::from_utf8(bytes).map_err(|fault| Unreadable::NotUtf8 { at: fault.valid_up_to() })?;
    let mut reader = Reader::new(whole);
    reader.byte_order_mark();
    if reader.next()? != Next::Object {
        return Err(Unreadable::NoObject);
    }
    let start = reader.at();
    Ok(wrapped(reader)?.unwrap_or(&whole[start..]))
}

/// The value of `collection`, of an object that is no collection itself.
fn wrapped(mut reader: Reader<'_>) -> Result<Option<&str>, Unreadable> {
    /// Begins nearly every collection, so that nothing is read twice.
    const OWN: [&str; 4] = ["\"info\"", "\"item\"", "\"requests\"", "\"order\""];
    let (mut inner, mut found) = (None, false);
    let mut own = false;
    let all = reader.object(|reader, key| {
        own |= OWN.contains(&key);
        if own {
            // Ends the reading; that all is well is found out by whoever reads the collection.
            return Err(Unreadable::NoObject);
        }
        if key == "\"collection\"" {
            reader.byte_order_mark();
            found = reader.next()? == Next::Object;
            inner = Some(reader.skip()?);
        } else {
            reader.skip()?;
        }
        Ok(())
    });
    if own {
        return Ok(None);
    }
    all?;
    reader.end()?;
    Ok(inner.filter(|_| found))
}

#[cfg(test)]
mod tests;
