//! Everything that can be known about a plugin file without running any of its code.
//!
//! The constructors of a library run as soon as it is opened, so a file that was only found in a folder is read as
//! data: its ELF headers, its dynamic symbols, and the manifest behind one of them.

mod trust;

use std::{
    cell::Cell,
    fs::{File, OpenOptions},
    io,
    ops::Range,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use object::{
    LittleEndian, ReadCache, ReadRef, elf,
    read::elf::{Dyn, ElfFile64, FileHeader, ProgramHeader, Sym},
};
use postroom_abi::{ENTRY_SYMBOL, MANIFEST_SYMBOL};

pub(crate) use self::trust::open as open_trusted;
use crate::{
    digest::Digest,
    manifest::{Manifest, ManifestError},
};

/// A plugin file that passed every check, with its manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct PluginFile {
    /// Where it was found.
    pub path: PathBuf,
    /// What it says about itself.
    pub manifest: Manifest,
    /// Size of the file in bytes.
    pub size: u64,
    /// What the SHA-256 of the file must be when it is loaded; anything when this is `None`.
    pub pin: Option<Digest>,
}

/// Why a file is not taken as a plugin.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// The file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder, socket, pipe or device.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// A symbolic link, which may lead elsewhere by the time that the file is loaded.
    #[error("{} is a link: put the file itself there", path.display())]
    Link {
        /// The path.
        path: PathBuf,
    },
    /// The file or its folder belongs to a user whose code the gateway must not run.
    #[error("{} belongs to the user {owner}: give it to root or to the gateway's user", path.display())]
    ForeignOwner {
        /// The file or folder.
        path: PathBuf,
        /// The user's id.
        owner: u32,
    },
    /// Others than the owner can change the file or its folder.
    #[error("others can write to {}: chmod go-w", path.display())]
    Writable {
        /// The file or folder.
        path: PathBuf,
    },
    /// The file is no readable 64-bit ELF file; cut files end here too.
    #[error("not a readable 64-bit little-endian ELF file: {reason}")]
    NotElf {
        /// Where reading failed.
        reason: String,
    },
    /// The file is built for another processor.
    #[error(
        "built for another processor (ELF machine {found}): install the build for {}",
        std::env::consts::ARCH
    )]
    OtherMachine {
        /// The file's `e_machine`.
        found: u16,
    },
    /// A library without a manifest symbol: somebody else's.
    #[error("has no symbol {MANIFEST_SYMBOL}: not a Postroom plugin")]
    NotAPlugin,
    /// A program instead of a library.
    #[error("an executable, not a shared library: build it with -shared, or as a cdylib")]
    Executable,
    /// The library asks for a stack that can be executed.
    #[error("wants an executable stack: link it with -z noexecstack")]
    ExecutableStack,
    /// The library asks for writable code.
    #[error("has text relocations: compile it with -fPIC")]
    TextRelocations,
    /// There is a manifest but no entry.
    #[error("has a manifest but no function {ENTRY_SYMBOL}: export it")]
    NoEntry,
    /// The manifest has no sensible size.
    #[error("the manifest has {bytes} bytes: 1 to {MANIFEST_BYTES_MAX} are allowed")]
    ManifestSize {
        /// Size of the symbol.
        bytes: u64,
    },
    /// The manifest's bytes are not in the file.
    #[error("the manifest is not in the file's data: make it a constant with an initial value")]
    ManifestNotInFile,
    /// The manifest is not UTF-8.
    #[error("the manifest is not UTF-8")]
    ManifestNotUtf8,
    /// The manifest was read and refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

const MANIFEST_BYTES_MAX: u64 = 256 * 1024;
/// Most bytes read of one file. Symbols and headers of large plugins need some 100 KB; debug information is not read.
const READ_BYTES_MAX: u64 = 32 * 1024 * 1024;

type Header = elf::FileHeader64<LittleEndian>;

/// Checks the file at `path` and reads its manifest. Runs none of its code. Who may have written it is looked at when it is
/// found in a folder, and when it is loaded.
///
/// # Errors
/// Says the first reason against the file; [`InspectError::NotAPlugin`] for a library that does not claim to be one.
pub fn inspect(path: &Path) -> Result<PluginFile, InspectError> {
    let io_error = |source| InspectError::Io { path: path.to_owned(), source };
    // Without O_NONBLOCK a named pipe would hold up the caller until someone writes to it.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path).map_err(io_error)?;
    inspect_open(file, path)
}

/// The same for a file that is open; `path` is where it came from.
pub(crate) fn inspect_open(file: File, path: &Path) -> Result<PluginFile, InspectError> {
    let io_error = |source| InspectError::Io { path: path.to_owned(), source };
    let metadata = file.metadata().map_err(io_error)?;
    if !metadata.is_file() {
        return Err(InspectError::NotAFile { path: path.to_owned() });
    }
    let manifest = Manifest::parse(&manifest_text(file)?)?;
    Ok(PluginFile { path: path.to_owned(), manifest, size: metadata.len(), pin: None })
}

fn manifest_text(file: File) -> Result<String, InspectError> {
    let cache = ReadCache::new(file);
    let left = Cell::new(READ_BYTES_MAX);
    let data = Bounded { cache: &cache, left: &left };

    let header = Header::parse(data).map_err(not_elf)?;
    let endian = header.endian().map_err(not_elf)?;
    let machine = header.e_machine(endian);
    if machine != NATIVE_MACHINE {
        return Err(InspectError::OtherMachine { found: machine.0 });
    }
    let elf = ElfFile64::<LittleEndian, _>::parse(data).map_err(not_elf)?;
    let symbols = Symbols::read(&elf)?;
    let Some(manifest) = symbols.manifest else { return Err(InspectError::NotAPlugin) };
    check_segments(&elf)?;
    if !symbols.entry {
        return Err(InspectError::NoEntry);
    }
    let bytes = read_in_file(&elf, manifest)?;
    // The constant ends with a NUL in C; what follows is padding.
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    std::str::from_utf8(text).map(str::to_owned).map_err(|_| InspectError::ManifestNotUtf8)
}

type Elf<'data> = ElfFile64<'data, LittleEndian, Bounded<'data>>;

/// Address and size of a symbol.
#[derive(Clone, Copy)]
struct Place {
    address: u64,
    size: u64,
}

#[derive(Default)]
struct Symbols {
    manifest: Option<Place>,
    entry: bool,
}

impl Symbols {
    /// Looks for our two symbols among those that the library exports.
    fn read(elf: &Elf<'_>) -> Result<Self, InspectError> {
        let table = elf.elf_dynamic_symbol_table();
        let endian = elf.endian();
        let mut found = Self::default();
        for symbol in table.iter().filter(|symbol| !symbol.is_undefined(endian)) {
            let name = symbol.name(endian, table.strings()).map_err(not_elf)?;
            if name == MANIFEST_SYMBOL.as_bytes() {
                found.manifest =
                    Some(Place { address: symbol.st_value(endian), size: symbol.st_size(endian) });
            } else if name == ENTRY_SYMBOL.as_bytes() {
                found.entry = true;
            }
        }
        Ok(found)
    }
}

fn check_segments(elf: &Elf<'_>) -> Result<(), InspectError> {
    let endian = elf.endian();
    if elf.elf_header().e_type(endian) != elf::ET_DYN {
        return Err(InspectError::Executable);
    }
    for segment in elf.elf_program_headers() {
        let kind = segment.p_type(endian);
        if kind == elf::PT_INTERP {
            return Err(InspectError::Executable);
        }
        if kind == elf::PT_GNU_STACK && segment.p_flags(endian).contains(elf::PF_X) {
            return Err(InspectError::ExecutableStack);
        }
        let dynamics = segment.dynamic(endian, elf.data()).map_err(not_elf)?.unwrap_or_default();
        for dynamic in dynamics {
            let value = dynamic.d_val(endian);
            match dynamic.d_tag(endian) {
                elf::DT_NULL => break,
                elf::DT_TEXTREL => return Err(InspectError::TextRelocations),
                elf::DT_FLAGS if value & elf::DF_TEXTREL.0 != 0 => {
                    return Err(InspectError::TextRelocations);
                }
                elf::DT_FLAGS_1 if value & elf::DF_1_PIE.0 != 0 => {
                    return Err(InspectError::Executable);
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The bytes that the loader would map at `place`, read from the file.
fn read_in_file<'data>(elf: &Elf<'data>, place: Place) -> Result<&'data [u8], InspectError> {
    if !(1..=MANIFEST_BYTES_MAX).contains(&place.size) {
        return Err(InspectError::ManifestSize { bytes: place.size });
    }
    let endian = elf.endian();
    elf.elf_program_headers()
        .iter()
        .filter(|segment| segment.p_type(endian) == elf::PT_LOAD)
        .find_map(|segment| {
            let start = place.address.checked_sub(segment.p_vaddr(endian))?;
            let end = start.checked_add(place.size)?;
            let offset = segment.p_offset(endian).checked_add(start)?;
            (end <= segment.p_filesz(endian)).then(|| elf.data().read_bytes_at(offset, place.size).ok())?
        })
        .ok_or(InspectError::ManifestNotInFile)
}

fn not_elf(error: object::read::Error) -> InspectError {
    InspectError::NotElf { reason: error.to_string() }
}

// A processor that is missing here has to be added, and tried.
#[cfg(target_arch = "x86_64")]
const NATIVE_MACHINE: elf::Machine = elf::EM_X86_64;
#[cfg(target_arch = "aarch64")]
const NATIVE_MACHINE: elf::Machine = elf::EM_AARCH64;
#[cfg(target_arch = "riscv64")]
const NATIVE_MACHINE: elf::Machine = elf::EM_RISCV;

/// Reads only what is asked for, and no more than a budget: a file may claim tables as large as itself.
#[derive(Clone, Copy)]
struct Bounded<'data> {
    cache: &'data ReadCache<File>,
    left: &'data Cell<u64>,
}

impl Bounded<'_> {
    fn spend(self, bytes: u64) -> Result<(), ()> {
        self.left.set(self.left.get().checked_sub(bytes).ok_or(())?);
        Ok(())
    }
}

impl<'data> ReadRef<'data> for Bounded<'data> {
    fn len(self) -> Result<u64, ()> {
        self.cache.len()
    }

    fn read_bytes_at(self, offset: u64, size: u64) -> Result<&'data [u8], ()> {
        self.spend(size)?;
        self.cache.read_bytes_at(offset, size)
    }

    fn read_bytes_at_until(self, range: Range<u64>, delimiter: u8) -> Result<&'data [u8], ()> {
        let end = range.start.saturating_add(self.left.get());
        let range = range.start..range.end.min(end);
        let bytes = self.cache.read_bytes_at_until(range, delimiter)?;
        self.spend(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests;
