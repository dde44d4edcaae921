//! Waiting for many sockets on one thread, with as little as possible between the program and the kernel: what the bench
//! itself costs is missing from what it measures.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use rustix::{
    event::{
        Timespec,
        epoll::{self, CreateFlags, Event, EventData, EventFlags},
    },
    io::Errno,
};

/// Sockets that one wait may tell of.
const READY_MAX: usize = 1024;

/// A set of sockets, each under a key of the caller's.
pub(crate) struct Poll {
    epoll: OwnedFd,
    ready: Vec<Event>,
}

/// What a socket is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    ReadAndWrite,
}

impl Interest {
    fn flags(self) -> EventFlags {
        match self {
            Self::Read => EventFlags::IN,
            Self::ReadAndWrite => EventFlags::IN | EventFlags::OUT,
        }
    }
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)?, ready: Vec::with_capacity(READY_MAX) })
    }

    pub(crate) fn add(&self, source: impl AsFd, key: usize) -> io::Result<()> {
        let data = EventData::new_u64(key as u64);
        Ok(epoll::add(&self.epoll, source, data, Interest::Read.flags())?)
    }

    pub(crate) fn change(&self, source: impl AsFd, key: usize, interest: Interest) -> io::Result<()> {
        let data = EventData::new_u64(key as u64);
        Ok(epoll::modify(&self.epoll, source, data, interest.flags())?)
    }

    /// Waits until a socket is ready or the time is over, and puts the keys of those that are into `keys`.
    pub(crate) fn wait(&mut self, longest: Duration, keys: &mut Vec<usize>) -> io::Result<()> {
        let longest = Timespec::try_from(longest).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.ready.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.ready), Some(&longest)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        keys.clear();
        keys.extend(self.ready.iter().filter_map(|event| usize::try_from(event.data.u64()).ok()));
        Ok(())
    }
}
