//! Which bodies must stay although no row names them yet, and which may go.
//!
//! A body that comes in again while the last event with the same bytes is pruned must not lose its file. Both sides
//! meet here: a pin takes back a doom that was not carried out, and what is pinned cannot be doomed.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{BlobName, Blobs};

/// Strays whose names are remembered; of more, the folders are looked through again.
const STRAYS_MAX: usize = 1024;

#[derive(Debug, Default)]
pub(super) struct Pins(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    pinned: HashMap<BlobName, usize>,
    doomed: HashSet<BlobName>,
    strays: Vec<BlobName>,
    /// The folder that is looked through next, above 255 when all were.
    folder: u16,
}

impl Pins {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn pin(&self, name: BlobName) {
        let mut state = self.state();
        state.doomed.remove(&name);
        *state.pinned.entry(name).or_default() += 1;
    }

    fn unpin(&self, name: BlobName, settled: bool) {
        let mut state = self.state();
        let Some(pins) = state.pinned.get_mut(&name) else { return };
        *pins -= 1;
        if *pins > 0 {
            return;
        }
        state.pinned.remove(&name);
        if !settled {
            state.add_stray(name);
        }
    }

    pub(super) fn doom(&self, name: BlobName) -> bool {
        let mut state = self.state();
        let free = !state.pinned.contains_key(&name);
        if free {
            state.doomed.insert(name);
        }
        free
    }

    /// Runs `take` while nobody can pin, if `name` is doomed. It is then no longer, unless that fails.
    pub(super) fn take_doomed<T>(
        &self,
        name: BlobName,
        take: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let mut state = self.state();
        if !state.doomed.contains(&name) {
            return Ok(None);
        }
        let taken = take()?;
        state.doomed.remove(&name);
        Ok(Some(taken))
    }

    /// Gives the strays, and with them what is doomed: whoever should have removed it did not come to it.
    pub(super) fn take_strays(&self) -> Vec<BlobName> {
        let mut state = self.state();
        let mut strays = mem::take(&mut state.strays);
        strays.extend(state.doomed.drain());
        strays
    }

    pub(super) fn add_strays(&self, names: impl IntoIterator<Item = BlobName>) {
        let mut state = self.state();
        names.into_iter().for_each(|name| state.add_stray(name));
    }

    /// The folder to look through next, if one is left.
    pub(super) fn folder(&self) -> Option<u8> {
        u8::try_from(self.state().folder).ok()
    }

    /// Says that a folder was looked through.
    pub(super) fn folder_seen(&self, folder: u8) {
        let mut state = self.state();
        // Not if the looking has to begin anew.
        if state.folder == u16::from(folder) {
            state.folder += 1;
        }
    }
}

impl State {
    fn add_stray(&mut self, name: BlobName) {
        if self.strays.len() < STRAYS_MAX {
            self.strays.push(name);
        } else {
            self.folder = 0;
        }
    }
}

/// Keeps a body's file where it is.
#[derive(Debug)]
pub(crate) struct Pin {
    blobs: Arc<Blobs>,
    name: BlobName,
    bytes: u64,
    settled: AtomicBool,
}

impl Pin {
    /// Pins the name before anyone looks whether there is such a file.
    pub(super) fn new(blobs: Arc<Blobs>, name: BlobName, bytes: u64) -> Self {
        blobs.pins.pin(name);
        Self { blobs, name, bytes, settled: AtomicBool::new(false) }
    }

    pub(crate) fn name(&self) -> BlobName {
        self.name
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(self.blobs.path(self.name))
    }

    /// Says that a durable row names the body: nobody has to look for one.
    pub(crate) fn settle(&self) {
        self.settled.store(true, Ordering::Relaxed);
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.blobs.pins.unpin(self.name, *self.settled.get_mut());
    }
}
