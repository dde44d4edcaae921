//! The bare responder: takes any POST, answers 202, and counts. What peers forward to, and what shows how fast the load
//! generator could be if there were no gateway at all.
//!
//! `GET` answers the count.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use crate::poll::Poll;

const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

/// Serves on `listener` for ever, on this many threads beside the one that accepts.
pub(crate) fn serve(listener: &TcpListener, threads: usize) -> io::Result<()> {
    let count = Arc::new(AtomicU64::new(0));
    let mut workers = Vec::new();
    for _ in 0..threads {
        let (hand_over, connections) = mpsc::channel();
        let count = Arc::clone(&count);
        thread::spawn(move || {
            let worker = Poll::new().map(|poll| Worker { poll, open: Vec::new(), count });
            worker.and_then(|mut worker| worker.run(&connections))
        });
        workers.push(hand_over);
    }
    for next in workers.iter().cycle() {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        next.send(stream).map_err(|_| io::Error::other("a worker of the responder has ended"))?;
    }
    Ok(())
}

/// The count that a responder at `address` answers.
pub(crate) fn count(address: SocketAddr) -> anyhow::Result<u64> {
    Ok(crate::http::get(address, "/", None)?.parse()?)
}

struct Worker {
    poll: Poll,
    /// By key; `None` where a connection has ended.
    open: Vec<Option<Connection>>,
    count: Arc<AtomicU64>,
}

struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
}

impl Worker {
    fn run(&mut self, connections: &mpsc::Receiver<TcpStream>) -> io::Result<()> {
        let mut ready = Vec::new();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            // New connections are met at the next look; the load opens all of its own before it begins.
            for stream in connections.try_iter() {
                let key = self.open.iter().position(Option::is_none).unwrap_or(self.open.len());
                if self.poll.add(&stream, key).is_ok() {
                    self.open.resize_with(self.open.len().max(key + 1), || None);
                    self.open[key] = Some(Connection { stream, request: Vec::new() });
                }
            }
            self.poll.wait(Duration::from_millis(5), &mut ready)?;
            for &key in &ready {
                let Some(connection) = &mut self.open[key] else { continue };
                // A client that is gone takes nothing with it.
                if !matches!(connection.step(&mut buffer, &self.count), Ok(true)) {
                    self.open[key] = None;
                }
            }
        }
    }
}

impl Connection {
    /// Takes what has come, and says whether the connection stays.
    fn step(&mut self, buffer: &mut [u8], count: &AtomicU64) -> io::Result<bool> {
        let read = match self.stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
        };
        if self.request.is_empty() && request_end(&buffer[..read]) == Some(read) {
            return self.answer(buffer.starts_with(b"GET"), count);
        }
        self.request.extend_from_slice(&buffer[..read]);
        while let Some(end) = request_end(&self.request) {
            let is_get = self.request.starts_with(b"GET");
            self.request.drain(..end);
            if !self.answer(is_get, count)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn answer(&mut self, is_get: bool, count: &AtomicU64) -> io::Result<bool> {
        if is_get {
            let count = count.load(Ordering::Relaxed).to_string();
            let length = count.len();
            self.stream.write_all(
                format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{count}").as_bytes(),
            )?;
        } else {
            count.fetch_add(1, Ordering::Relaxed);
            self.stream.write_all(ACCEPTED)?;
        }
        Ok(true)
    }
}

/// Where the first request in `bytes` ends; `None` while some of it is missing.
fn request_end(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let body = head + 4;
    let mut length = 0;
    for line in bytes[..head].split(|byte| *byte == b'\n') {
        let Some((name, value)) = line.split_at_checked(15) else { continue };
        if name.eq_ignore_ascii_case(b"content-length:") {
            length = std::str::from_utf8(value.trim_ascii()).ok()?.parse().ok()?;
        } else if line.to_ascii_lowercase().starts_with(b"transfer-encoding:") {
            const LAST_CHUNK: &[u8] = b"0\r\n\r\n";
            let last = bytes[body..].windows(LAST_CHUNK.len()).position(|window| window == LAST_CHUNK)?;
            return Some(body + last + LAST_CHUNK.len());
        }
    }
    (bytes.len() >= body + length).then_some(body + length)
}
