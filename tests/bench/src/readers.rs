//! Readers of the gateway's stream, in a process of their own: they read whatever comes and count it.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};

use crate::{poll::Poll, say};

/// Who reads, and for how long.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Readers {
    #[arg(long)]
    pub(crate) target: SocketAddr,
    #[arg(long)]
    pub(crate) path: String,
    #[arg(long)]
    pub(crate) key: String,
    #[arg(long)]
    pub(crate) readers: usize,
    /// Seconds until they leave.
    #[arg(long)]
    pub(crate) seconds: f64,
}

/// They take turns with so many keys, because one key may not have all readers.
pub(crate) const KEYS: usize = 4;

impl Readers {
    /// The key of the reader in this place.
    pub(crate) fn key_of(key: &str, place: usize) -> String {
        format!("{key}-{}", place % KEYS)
    }
}

/// What all of them read together.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Heard {
    pub(crate) bytes: u64,
    pub(crate) messages: u64,
    /// Those among them that say that something was missed.
    pub(crate) resyncs: u64,
}

/// Connects all, says so, and reads until the time is over.
pub(crate) fn run(args: &Readers) -> anyhow::Result<()> {
    let Readers { target, path, key, readers, seconds } = args;
    let mut poll = Poll::new()?;
    let mut streams = Vec::with_capacity(*readers);
    for place in 0..*readers {
        let key = Readers::key_of(key, place);
        let request = format!("GET {path} HTTP/1.1\r\nhost: {target}\r\nauthorization: Bearer {key}\r\n\r\n");
        let mut stream = TcpStream::connect(target).context("cannot connect a reader")?;
        stream.write_all(request.as_bytes())?;
        let mut first = [0; 1024];
        let read = stream.read(&mut first)?;
        ensure!(first[..read].starts_with(b"HTTP/1.1 200"), "a reader was not let in");
        stream.set_nonblocking(true)?;
        poll.add(&stream, place)?;
        streams.push(stream);
    }
    say("reading")?;
    let (end, mut heard, mut ready) =
        (Instant::now() + Duration::from_secs_f64(*seconds), Heard::default(), Vec::new());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return say(&serde_json::to_string(&heard)?);
        }
        poll.wait(left, &mut ready)?;
        for place in &ready {
            let read = match streams[*place].read(&mut buffer) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                Err(error) => return Err(error).context("a reader was cut off"),
            };
            ensure!(read > 0, "a reader was sent away");
            heard.take(&buffer[..read]);
        }
    }
}

impl Heard {
    /// A message that two reads share may be missed: it is one of thousands.
    fn take(&mut self, bytes: &[u8]) {
        const TOPIC: &[u8] = b"\nevent: ";
        self.bytes += bytes.len() as u64;
        for (place, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            let Some(topic) = bytes[place..].strip_prefix(TOPIC) else { continue };
            self.messages += 1;
            self.resyncs += u64::from(topic.starts_with(b"resync"));
        }
    }
}
