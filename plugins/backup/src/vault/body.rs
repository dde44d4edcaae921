//! Bodies as they lie in the storage: compressed, encrypted, both or neither. The extension of the file says which.

use std::{
    fmt,
    io::{self, Read, Write},
};

use age::{
    Decryptor, Encryptor, Identity, Recipient,
    stream::{StreamReader, StreamWriter},
    x25519,
};
use postroom_sdk::{Bytes, Secret, tokio::task::spawn_blocking};
use sha2::{Digest, Sha256};

use super::{Error, records::Stored};
use crate::name::hex;

const ZSTD: &str = ".zst";
const AGE: &str = ".age";
/// zstd's own default: a collection shrinks to about a tenth, and higher levels gain little for their time.
const LEVEL: i32 = 3;
/// What takes no longer than to hand it to another thread.
const INLINE_BYTES_MAX: usize = 64 * 1024;

/// How bodies are written and read.
#[derive(Clone, Default)]
pub(crate) struct Coding {
    pub(crate) compress: bool,
    /// Who can read what is written; nobody: it is not encrypted.
    pub(crate) encrypt_to: Vec<x25519::Recipient>,
    /// To read what is encrypted.
    pub(crate) decrypt_with: Vec<x25519::Identity>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyError {
    #[error("{0:?} is no recipient: write the public key that `age-keygen` shows, which begins with age1")]
    Recipient(String),
    #[error(
        "it has no identity of age: it is the file that `age-keygen` writes, with a line AGE-SECRET-KEY-1…"
    )]
    Identity,
}

/// Why a stored file gives no body.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("no key for it is here")]
    NoIdentity,
    #[error("{0}")]
    Damaged(String),
    #[error("the work was interrupted")]
    Interrupted,
}

pub(crate) fn recipient(text: &str) -> Result<x25519::Recipient, KeyError> {
    text.trim().parse().map_err(|_| KeyError::Recipient(text.to_owned()))
}

/// The identities in the text of an identity file, comments and all.
pub(crate) fn identities(text: &Secret) -> Result<Vec<x25519::Identity>, KeyError> {
    let lines = text.expose().lines().map(str::trim);
    let keys = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let identities: Vec<x25519::Identity> =
        keys.map(|key| key.parse().map_err(|_| KeyError::Identity)).collect::<Result<_, _>>()?;
    if identities.is_empty() { Err(KeyError::Identity) } else { Ok(identities) }
}

impl Coding {
    /// What the name of a file that is written now ends in.
    pub(crate) fn extension(&self) -> &'static str {
        match (self.compress, self.encrypt_to.is_empty()) {
            (true, true) => ".zst",
            (true, false) => ".zst.age",
            (false, true) => ".json",
            (false, false) => ".json.age",
        }
    }

    pub(crate) fn encrypts(&self) -> bool {
        !self.encrypt_to.is_empty()
    }

    /// Whether a file of this name can be read here.
    pub(crate) fn reads(&self, file: &str) -> bool {
        !file.ends_with(AGE) || !self.decrypt_with.is_empty()
    }

    /// A body as it is to be written. Without either step it is the body itself, not a copy.
    pub(crate) async fn encode(&self, body: Bytes, compress: bool) -> Result<Bytes, Error> {
        if !compress && !self.encrypts() {
            return Ok(body);
        }
        let coding = self.clone();
        offload(body.len(), move || coding.encode_now(&body, compress)).await?.map_err(Error::Encode)
    }

    fn encode_now(&self, body: &[u8], compress: bool) -> io::Result<Bytes> {
        // What is never touched takes no memory, and a buffer that grows is there twice while it does.
        let buffer = Vec::with_capacity(body.len() + body.len() / 64 + 1024);
        let sink = if self.encrypts() {
            let recipients = self.encrypt_to.iter().map(|recipient| recipient as &dyn Recipient);
            let encryptor = Encryptor::with_recipients(recipients).map_err(io::Error::other)?;
            Sink::Age(encryptor.wrap_output(buffer)?)
        } else {
            Sink::Plain(buffer)
        };
        let sink = if compress {
            let mut encoder = zstd::Encoder::new(sink, LEVEL)?;
            encoder.include_checksum(true)?;
            encoder.set_pledged_src_size(Some(body.len() as u64))?;
            encoder.write_all(body)?;
            encoder.finish()?
        } else {
            let mut sink = sink;
            sink.write_all(body)?;
            sink
        };
        Ok(match sink {
            Sink::Plain(bytes) => bytes,
            Sink::Age(writer) => writer.finish()?,
        }
        .into())
    }

    /// The body that the file holds. `bytes` is its length, as the record has it: no file may give more.
    pub(crate) async fn decode(&self, file: &str, stored: Bytes, bytes: u64) -> Result<Bytes, DecodeError> {
        if !file.ends_with(AGE) && !file.ends_with(ZSTD) {
            return Ok(stored);
        }
        let (coding, file) = (self.clone(), file.to_owned());
        let decode = move || {
            let mut body =
                Vec::with_capacity(usize::try_from(bytes).unwrap_or_default().min(stored.len() * 64));
            coding.read_into(&file, &stored, bytes, &mut body)?;
            Ok(Bytes::from(body))
        };
        offload(usize::try_from(bytes).unwrap_or(usize::MAX), decode)
            .await
            .unwrap_or(Err(DecodeError::Interrupted))
    }

    /// The SHA-256 of the body that the file holds, without holding it.
    pub(crate) async fn hash(&self, file: &str, stored: Bytes, bytes: u64) -> Result<String, DecodeError> {
        let (coding, file) = (self.clone(), file.to_owned());
        let hash = move || {
            let mut hash = Hashing(Sha256::new());
            coding.read_into(&file, &stored, bytes, &mut hash)?;
            Ok(hex(&hash.0.finalize()))
        };
        offload(usize::try_from(bytes).unwrap_or(usize::MAX), hash)
            .await
            .unwrap_or(Err(DecodeError::Interrupted))
    }

    fn read_into(
        &self,
        file: &str,
        stored: &[u8],
        bytes: u64,
        sink: &mut dyn Write,
    ) -> Result<(), DecodeError> {
        let damaged = |error: io::Error| DecodeError::Damaged(error.to_string());
        let (name, reader) = match file.strip_suffix(AGE) {
            None => (file, Source::Plain(stored)),
            Some(name) => (name, Source::Age(self.decrypt(stored)?)),
        };
        // One byte more than there should be tells that there is more.
        let copied = if name.ends_with(ZSTD) {
            let decoder = zstd::Decoder::new(reader).map_err(damaged)?;
            io::copy(&mut decoder.take(bytes.saturating_add(1)), sink)
        } else {
            io::copy(&mut reader.take(bytes.saturating_add(1)), sink)
        };
        match copied.map_err(damaged)? {
            copied if copied == bytes => Ok(()),
            _ => Err(DecodeError::Damaged("it has another length than its record says".to_owned())),
        }
    }

    fn decrypt<'a>(&self, stored: &'a [u8]) -> Result<StreamReader<&'a [u8]>, DecodeError> {
        if self.decrypt_with.is_empty() {
            return Err(DecodeError::NoIdentity);
        }
        let identities = self.decrypt_with.iter().map(|identity| identity as &dyn Identity);
        let decryptor = Decryptor::new(stored).map_err(|error| DecodeError::Damaged(error.to_string()))?;
        decryptor.decrypt(identities).map_err(|error| match error {
            age::DecryptError::NoMatchingKeys => DecodeError::NoIdentity,
            error => DecodeError::Damaged(error.to_string()),
        })
    }
}

impl fmt::Debug for Coding {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coding")
            .field("compress", &self.compress)
            .field("recipients", &self.encrypt_to.len())
            .field("identities", &self.decrypt_with.len())
            .finish()
    }
}

impl Stored {
    /// How `bytes` lie at `file`.
    pub(crate) async fn describe(file: String, bytes: Bytes) -> Result<Self, Error> {
        let length = bytes.len();
        let sha256 = sha256(bytes).await?;
        Ok(Self { file, bytes: length as u64, sha256 })
    }
}

pub(crate) async fn sha256(bytes: Bytes) -> Result<String, Error> {
    offload(bytes.len(), move || hex(&Sha256::digest(&bytes))).await
}

/// Does what takes a while on another thread, so that no other delivery waits for it.
pub(crate) async fn offload<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    if bytes <= INLINE_BYTES_MAX {
        return Ok(work());
    }
    match spawn_blocking(work).await {
        Ok(done) => Ok(done),
        // A panic goes on to the SDK, which reports it.
        Err(error) => match error.try_into_panic() {
            Ok(payload) => std::panic::resume_unwind(payload),
            Err(_) => Err(Error::Interrupted),
        },
    }
}

enum Sink {
    Plain(Vec<u8>),
    Age(StreamWriter<Vec<u8>>),
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            Self::Age(sink) => sink.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(sink) => sink.flush(),
            Self::Age(sink) => sink.flush(),
        }
    }
}

enum Source<'a> {
    Plain(&'a [u8]),
    Age(StreamReader<&'a [u8]>),
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(source) => source.read(buffer),
            Self::Age(source) => source.read(buffer),
        }
    }
}

struct Hashing(Sha256);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
