//! The numbers that steer the library, in a file that the process has mapped.

use std::{fs::File, io, os::unix::fs::FileExt as _, path::Path};

/// A kind of calls that may fail. The order is that of `enum call` in `c/disk.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `write` and its relatives.
    Write,
    /// `fsync` and `fdatasync` of a file.
    Sync,
    /// `fsync` of a folder.
    SyncFolder,
    /// `ftruncate` and `fallocate`.
    Resize,
    /// `open` that makes a file.
    Create,
    /// `rename`.
    Rename,
}

impl Call {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Write, Self::Sync, Self::SyncFolder, Self::Resize, Self::Create, Self::Rename];
}

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It fails as on a full disk.
    NoSpace,
    /// It fails as on a broken disk.
    BrokenDisk,
    /// The first write takes a part of its bytes only; later ones, and calls that are no writes, fail as on a full disk.
    Short,
    /// The process ends as by SIGKILL; of a write, a part has happened.
    Kill,
}

impl Effect {
    /// As `c/faults.c` knows it: an error number of Linux, or one of its own.
    fn number(self) -> i64 {
        match self {
            Self::NoSpace => 28,
            Self::BrokenDisk => 5,
            Self::Short => -1,
            Self::Kill => -2,
        }
    }
}

// The order of the numbers is that of the enums in `c/faults.c`.
const CALLS: u64 = 0;
const FROM: u64 = 1;
const COUNT: u64 = 2;
const EFFECT: u64 = 3;
const FIELDS: u64 = 4;
const CLOCK_OFFSET_MS: u64 = Call::ALL.len() as u64 * FIELDS;
const SYNC_DELAY_US_MAX: u64 = CLOCK_OFFSET_MS + 1;
const EVICT: u64 = CLOCK_OFFSET_MS + 2;
const SEED: u64 = CLOCK_OFFSET_MS + 3;

const BYTES: u64 = 4096;

#[derive(Debug)]
pub(crate) struct Control(File);

impl Control {
    pub(crate) fn create(state: &Path, seed: u64) -> io::Result<Self> {
        let path = state.join("control");
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(BYTES)?;
        let control = Self(file);
        control.set(SEED, seed.cast_signed())?;
        Ok(control)
    }

    pub(crate) fn fail(&self, call: Call, after: u64, count: Option<u64>, effect: Effect) -> io::Result<()> {
        let first = call as u64 * FIELDS;
        // Nothing fails while the numbers are half changed.
        self.set(first + FROM, 0)?;
        self.set(first + EFFECT, effect.number())?;
        self.set(first + COUNT, count.map_or(-1, u64::cast_signed))?;
        let from = self.get(first + CALLS)?.saturating_add_unsigned(after) + 1;
        self.set(first + FROM, from)
    }

    pub(crate) fn heal(&self) -> io::Result<()> {
        Call::ALL.into_iter().try_for_each(|call| self.set(call as u64 * FIELDS + FROM, 0))
    }

    pub(crate) fn calls(&self, call: Call) -> io::Result<u64> {
        Ok(self.get(call as u64 * FIELDS + CALLS)?.unsigned_abs())
    }

    pub(crate) fn delay_syncs(&self, microseconds_max: u64) -> io::Result<()> {
        self.set(SYNC_DELAY_US_MAX, microseconds_max.cast_signed())
    }

    pub(crate) fn evict(&self, evict: bool) -> io::Result<()> {
        self.set(EVICT, i64::from(evict))
    }

    pub(crate) fn set_clock_offset(&self, milliseconds: i64) -> io::Result<()> {
        self.set(CLOCK_OFFSET_MS, milliseconds)
    }

    fn set(&self, number: u64, value: i64) -> io::Result<()> {
        self.0.write_all_at(&value.to_ne_bytes(), number * 8)
    }

    fn get(&self, number: u64) -> io::Result<i64> {
        let mut bytes = [0; 8];
        self.0.read_exact_at(&mut bytes, number * 8)?;
        Ok(i64::from_ne_bytes(bytes))
    }
}
