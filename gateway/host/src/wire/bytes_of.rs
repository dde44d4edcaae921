//! Numbers and texts as bytes, and back with every bound checked.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::{LENGTH_BYTES, WireError};

/// Builds one frame.
pub(super) struct Writer(BytesMut);

impl Writer {
    pub(super) fn new(frame_type: u8) -> Self {
        let mut bytes = BytesMut::with_capacity(256);
        bytes.put_u32_le(0);
        bytes.put_u8(frame_type);
        Self(bytes)
    }

    pub(super) fn flag(mut self, value: bool) -> Self {
        self.0.put_u8(value.into());
        self
    }

    pub(super) fn u32(mut self, value: u32) -> Self {
        self.0.put_u32_le(value);
        self
    }

    pub(super) fn i32(mut self, value: i32) -> Self {
        self.0.put_i32_le(value);
        self
    }

    pub(super) fn u64(mut self, value: u64) -> Self {
        self.0.put_u64_le(value);
        self
    }

    pub(super) fn bytes(mut self, value: &[u8]) -> Self {
        self.0.put_u32_le(length(value.len()));
        self.0.extend_from_slice(value);
        self
    }

    pub(super) fn text(self, value: &str) -> Self {
        self.bytes(value.as_bytes())
    }

    pub(super) fn pairs<'a>(self, pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> Self {
        let writer = self.u32(length(pairs.len()));
        pairs.fold(writer, |writer, (key, value)| writer.text(key).text(value))
    }

    /// The frame, whose last `tail_bytes` bytes the caller sends right after it.
    pub(super) fn finish(mut self, tail_bytes: usize) -> BytesMut {
        let bytes = length(self.0.len() - LENGTH_BYTES + tail_bytes);
        self.0[..LENGTH_BYTES].copy_from_slice(&bytes.to_le_bytes());
        self.0
    }
}

/// Everything in a frame is shorter than the frame, and senders check a frame's size before they build it.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("senders keep frames below 4 GiB")
}

/// Reads one frame.
pub(super) struct Reader(Bytes);

impl Reader {
    /// Takes a frame without its length; gives its type and the reader of its payload.
    pub(super) fn new(mut frame: Bytes) -> Result<(u8, Self), WireError> {
        let frame_type = frame.try_get_u8().map_err(|_| WireError::Short)?;
        Ok((frame_type, Self(frame)))
    }

    pub(super) fn flag(&mut self) -> Result<bool, WireError> {
        match self.0.try_get_u8().map_err(|_| WireError::Short)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(WireError::Value("flag")),
        }
    }

    pub(super) fn u32(&mut self) -> Result<u32, WireError> {
        self.0.try_get_u32_le().map_err(|_| WireError::Short)
    }

    pub(super) fn i32(&mut self) -> Result<i32, WireError> {
        self.0.try_get_i32_le().map_err(|_| WireError::Short)
    }

    pub(super) fn u64(&mut self) -> Result<u64, WireError> {
        self.0.try_get_u64_le().map_err(|_| WireError::Short)
    }

    pub(super) fn bytes(&mut self) -> Result<Bytes, WireError> {
        let length = usize::try_from(self.u32()?).unwrap_or(usize::MAX);
        if length > self.0.len() {
            return Err(WireError::Short);
        }
        Ok(self.0.split_to(length))
    }

    pub(super) fn text(&mut self) -> Result<String, WireError> {
        let bytes = self.bytes()?;
        std::str::from_utf8(&bytes).map(str::to_owned).map_err(|_| WireError::Value("text"))
    }

    /// A text where it lies in the frame.
    pub(super) fn text_in_place(&mut self) -> Result<Bytes, WireError> {
        let bytes = self.bytes()?;
        if std::str::from_utf8(&bytes).is_ok() { Ok(bytes) } else { Err(WireError::Value("text")) }
    }

    pub(super) fn pairs<C: Default + Extend<(String, String)>>(&mut self) -> Result<C, WireError> {
        self.list(|reader| Ok((reader.text()?, reader.text()?)))
    }

    /// A list of what `item` reads. A claimed count reserves nothing: every item takes bytes of the frame.
    pub(super) fn list<T, C: Default + Extend<T>>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, WireError>,
    ) -> Result<C, WireError> {
        let mut list = C::default();
        for _ in 0..self.u32()? {
            list.extend([item(self)?]);
        }
        Ok(list)
    }

    /// All that is left.
    pub(super) fn rest(&mut self) -> Bytes {
        self.0.split_off(0)
    }

    pub(super) fn end(self) -> Result<(), WireError> {
        if self.0.is_empty() { Ok(()) } else { Err(WireError::Trailing(self.0.len())) }
    }
}
