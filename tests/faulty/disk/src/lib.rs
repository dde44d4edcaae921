//! A disk that fails, fills up and loses power, for the processes of tests.
//!
//! A process that is started with [`Disk::variables`] loads a small C library before the C library. It stands in for the
//! calls that change files below one folder: a test can let the n-th of them fail, fall short or end the process, and
//! the library keeps beside each file what of it would survive a power cut. [`Disk::cut_power`] then makes the folder
//! what a disk could look like afterwards: what was not synced is gone, or there, or there in part; names that were not
//! synced with their folder too; and what a failed sync was to bring to the disk is not brought by the next one.
//!
//! It also moves the wall clock of such a process.

#![forbid(unsafe_code)]

mod control;
mod platter;
mod random;

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use self::{control::Control, platter::Platter};
pub use self::{
    control::{Call, Effect},
    platter::{Cut, Keep},
    random::Random,
};

const LIBRARY: &str = env!("FAULTY_DISK_LIBRARY");

/// A folder on a faulty disk. One process at a time may use it.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    state: PathBuf,
    control: Control,
}

impl Disk {
    /// Makes the disk that holds `root`, which must exist; what is there already is on the platter. `state` is a folder
    /// for the disk's own use, on the same file system and not below `root`; what was in it is lost. What the disk leaves
    /// to chance follows from `seed`.
    ///
    /// # Errors
    /// When a file cannot be read or made.
    pub fn new(root: &Path, state: &Path, seed: u64) -> io::Result<Self> {
        if state.exists() {
            fs::remove_dir_all(state)?;
        }
        fs::create_dir_all(state)?;
        let (root, state) = (root.canonicalize()?, state.canonicalize()?);
        let control = Control::create(&state, seed)?;
        let disk = Self { root, state, control };
        disk.platter().take_as_synced()?;
        Ok(disk)
    }

    /// The variables that put a process on this disk.
    #[must_use]
    pub fn variables(&self) -> [(&'static str, OsString); 3] {
        [
            ("LD_PRELOAD", LIBRARY.into()),
            ("FAULTY_DISK_ROOT", self.root.clone().into()),
            ("FAULTY_DISK_STATE", self.state.clone().into()),
        ]
    }

    /// Lets `effect` happen to calls of a kind: first to the one after the next `after`, then to all up to `count`
    /// together, or to all from then on.
    ///
    /// # Errors
    /// When the disk's own file cannot be written.
    pub fn fail(&self, call: Call, after: u64, count: Option<u64>, effect: Effect) -> io::Result<()> {
        self.control.fail(call, after, count, effect)
    }

    /// Ends all failures. The delay of syncs, the clock and what is lost already stay as they are.
    ///
    /// # Errors
    /// When the disk's own file cannot be written.
    pub fn heal(&self) -> io::Result<()> {
        self.control.heal()
    }

    /// Calls of a kind so far.
    ///
    /// # Errors
    /// When the disk's own file cannot be read.
    pub fn calls(&self, call: Call) -> io::Result<u64> {
        self.control.calls(call)
    }

    /// Lets each sync take up to this many microseconds longer.
    ///
    /// # Errors
    /// When the disk's own file cannot be written.
    pub fn delay_syncs(&self, microseconds_max: u64) -> io::Result<()> {
        self.control.delay_syncs(microseconds_max)
    }

    /// Whether the cache forgets at once what a failed sync did not bring to the platter, so that the process reads the
    /// old bytes; otherwise it goes on reading what it wrote.
    ///
    /// # Errors
    /// When the disk's own file cannot be written.
    pub fn forget_after_failed_sync(&self, forget: bool) -> io::Result<()> {
        self.control.evict(forget)
    }

    /// Moves the wall clock of the process to this many milliseconds from the real time.
    ///
    /// # Errors
    /// When the disk's own file cannot be written.
    pub fn set_clock_offset(&self, milliseconds: i64) -> io::Result<()> {
        self.control.set_clock_offset(milliseconds)
    }

    /// Makes the folder what it could be after a power cut. The process must have ended. What is there afterwards is on
    /// the platter.
    ///
    /// # Errors
    /// When a file cannot be read or made, or when a file has changed without a call that the library knows: then
    /// nothing can be said about what would have survived.
    pub fn cut_power(&self, keep: Keep, random: &mut Random) -> io::Result<Cut> {
        let cut = self.platter().cut(keep, random)?;
        self.platter().take_as_synced()?;
        Ok(cut)
    }

    fn platter(&self) -> Platter<'_> {
        Platter { root: &self.root, state: &self.state }
    }
}

#[cfg(test)]
mod tests;
