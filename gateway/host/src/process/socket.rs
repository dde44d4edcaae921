//! The gateway's end of the socket to a process, in two halves.
//!
//! Each waits for its own direction and nothing else. Watched in both, as sockets of the runtime are, it would wake the
//! gateway's thread whenever the process has read a frame: there is room for another one then, for which nobody waits.
#![expect(unsafe_code, reason = "the runtime wants to be sure that a descriptor stays open")]

use std::{
    fs::File,
    io::{self, IoSlice},
    mem::MaybeUninit,
    net::Shutdown,
    os::{fd::AsFd, unix::net::UnixStream},
};

use bytes::BytesMut;
use rustix::{
    io::Errno,
    net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, sendmsg},
};
use tokio::io::{Interest, unix::AsyncFd};

/// Most bytes that are read at once.
pub(super) const READ_BYTES: usize = 16 * 1024;

/// The half to read from.
#[derive(Debug)]
pub(super) struct Incoming {
    socket: AsyncFd<UnixStream>,
    piece: Box<[u8]>,
}

/// The half to write to. The process finds the end once this is dropped.
#[derive(Debug)]
pub(super) struct Outgoing(UnixStream);

/// Takes `socket` apart, which does not block.
pub(super) fn split(socket: UnixStream) -> io::Result<(Incoming, Outgoing)> {
    let outgoing = Outgoing(socket.try_clone()?);
    // SAFETY: the descriptor is the socket's own, which keeps it open as long as it lives.
    let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::READABLE) }?;
    Ok((Incoming { socket, piece: vec![0; READ_BYTES].into() }, outgoing))
}

impl Incoming {
    /// Waits for bytes and adds them to `buffer`; gives how many they are, 0 at the end. Dropped before it is ready, it has
    /// read nothing.
    pub(super) async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        loop {
            let mut ready = self.socket.readable().await?;
            match recv(&self.socket, &mut *self.piece, RecvFlags::DONTWAIT) {
                Ok((_, bytes)) => {
                    // All that had come fitted in: the kernel tells when there is more.
                    if (1..self.piece.len()).contains(&bytes) {
                        ready.clear_ready();
                    }
                    buffer.extend_from_slice(&self.piece[..bytes]);
                    return Ok(bytes);
                }
                Err(Errno::WOULDBLOCK) => ready.clear_ready(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits until there is something to read, the end included.
    #[cfg(test)]
    pub(super) async fn readable(&self) {
        self.socket.readable().await.unwrap().retain_ready();
    }
}

impl Outgoing {
    /// Writes all of `bytes`.
    pub(super) async fn write_all(&self, bytes: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        while sent < bytes.len() {
            sent += self.send(&bytes[sent..], None).await?;
        }
        Ok(())
    }

    /// Writes all of `bytes`; the descriptor travels with the first of them.
    pub(super) async fn write_all_with(&self, bytes: &[u8], file: &File) -> io::Result<()> {
        let sent = self.send(bytes, Some(file)).await?;
        self.write_all(&bytes[sent..]).await
    }

    /// Writes as many bytes as there is room for, which is waited for.
    async fn send(&self, bytes: &[u8], file: Option<&File>) -> io::Result<usize> {
        loop {
            match send_now(&self.0, bytes, file) {
                Err(Errno::WOULDBLOCK) => self.room().await?,
                Err(Errno::INTR) => {}
                sent => return Ok(sent?),
            }
        }
    }

    /// Waits for room. Watched only then: a socket is full when a process falls behind or gets a large body.
    async fn room(&self) -> io::Result<()> {
        // SAFETY: the descriptor is borrowed from a socket that keeps it open as long as it lives.
        let socket = unsafe { AsyncFd::register_with_interest(self.0.as_fd(), Interest::WRITABLE) }?;
        socket.writable().await?.retain_ready();
        Ok(())
    }
}

fn send_now(socket: &UnixStream, bytes: &[u8], file: Option<&File>) -> rustix::io::Result<usize> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut room);
    let descriptors = file.map(AsFd::as_fd);
    if let Some(descriptor) = &descriptors {
        let fits = control.push(SendAncillaryMessage::ScmRights(std::slice::from_ref(descriptor)));
        debug_assert!(fits, "the room is made for one descriptor");
    }
    sendmsg(socket, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL | SendFlags::DONTWAIT)
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        // Fails when the process is gone, and then nobody has to be told.
        drop(self.0.shutdown(Shutdown::Write));
    }
}

#[cfg(test)]
mod tests;
