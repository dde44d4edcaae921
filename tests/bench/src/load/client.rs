//! One connection of the load.

use std::{
    io::{self, Read as _, Write as _},
    net::TcpStream,
    os::fd::{AsFd, BorrowedFd},
    time::Instant,
};

use crate::{
    answer,
    bodies::{Body, subject},
    load::Load,
    poll::{Interest, Poll},
};

/// A keep-alive connection with at most one request open.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    /// Header and body; the next request differs from it in its subject only.
    request: Vec<u8>,
    subject_at: usize,
    /// The subject of the next request, and how far the one after it is.
    subject: usize,
    stride: usize,
    subjects: usize,
    written: usize,
    interest: Interest,
    /// An answer that has come in part.
    answer: Vec<u8>,
    sent_at: Instant,
}

/// What came of looking at a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Waits,
    Answered { status: u16 },
}

impl Client {
    pub(super) fn connect(load: &Load, body: &Body, number: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(load.target)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let (path, target, length) = (&load.path, load.target, body.bytes.len());
        let mut request = format!(
            "POST {path} HTTP/1.1\r\nhost: {target}\r\nuser-agent: PostmanRuntime/7.39.1\r\naccept: */*\r\n\
             content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(&body.bytes);
        Ok(Self {
            stream,
            subject_at: request.len() - body.subject_from_end(),
            written: request.len(),
            request,
            subject: number,
            stride: load.connections,
            subjects: load.subjects.max(1),
            interest: Interest::Read,
            answer: Vec::new(),
            sent_at: Instant::now(),
        })
    }

    pub(super) fn socket(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    pub(super) fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// Begins the next request.
    pub(super) fn send(&mut self, poll: &Poll, key: usize) -> io::Result<()> {
        self.request[self.subject_at..self.subject_at + 4]
            .copy_from_slice(&subject(self.subject % self.subjects));
        self.subject += self.stride;
        self.written = 0;
        self.sent_at = Instant::now();
        self.write(poll, key)
    }

    /// Goes on with what the socket is ready for.
    pub(super) fn step(&mut self, poll: &Poll, key: usize, buffer: &mut [u8]) -> io::Result<Step> {
        if self.written < self.request.len() {
            self.write(poll, key)?;
        }
        let read = match self.stream.read(buffer) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Step::Waits),
            Err(error) => return Err(error),
        };
        // Nearly every answer comes whole, and then nothing of it is copied.
        let whole = if self.answer.is_empty() {
            answer::find(&buffer[..read])?
        } else {
            self.answer.extend_from_slice(&buffer[..read]);
            answer::find(&self.answer)?
        };
        match whole {
            Some(answer) => {
                self.answer.clear();
                Ok(Step::Answered { status: answer.status })
            }
            None if self.answer.is_empty() => {
                self.answer.extend_from_slice(&buffer[..read]);
                Ok(Step::Waits)
            }
            None => Ok(Step::Waits),
        }
    }

    fn write(&mut self, poll: &Poll, key: usize) -> io::Result<()> {
        let mut interest = Interest::Read;
        while self.written < self.request.len() {
            match self.stream.write(&self.request[self.written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => self.written += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    interest = Interest::ReadAndWrite;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        if interest != self.interest {
            poll.change(&self.stream, key, interest)?;
            self.interest = interest;
        }
        Ok(())
    }
}
