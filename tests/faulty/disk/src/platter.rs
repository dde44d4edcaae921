//! What of a folder is on the platter, and what becomes of it in a power cut. `c/platter.c` says what lies where.

use std::{
    collections::{BTreeSet, HashMap},
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::{MetadataExt as _, symlink},
    path::{Path, PathBuf},
};

use crate::Random;

const PAGE_BYTES: usize = 4096;
/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;
const DIRTY: u8 = 1;
const LOST: u8 = 2;

/// What of the changes that were not synced reaches the platter all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// Any sectors and names, another part of each file.
    Some,
    /// Everything but what a failed sync has lost.
    All,
}

/// What a power cut took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cut {
    /// Sectors that are other than the process last saw them.
    pub sectors: u64,
    /// Names that are.
    pub names: u64,
}

pub(crate) struct Platter<'a> {
    pub(crate) root: &'a Path,
    pub(crate) state: &'a Path,
}

/// One folder of the disk: where it is now, if it still is, and the number under which its synced names are kept.
struct Folder {
    now: Option<PathBuf>,
    number: Option<u64>,
}

/// What a name stands for; numbers are those of inodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entry {
    File(u64),
    Folder(u64),
}

impl Platter<'_> {
    /// Forgets what was kept, and takes everything for synced.
    pub(crate) fn take_as_synced(&self) -> io::Result<()> {
        for kind in ["now", "image", "map", "names"] {
            let folder = self.state.join(kind);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
            fs::create_dir(&folder)?;
        }
        self.take_folder(self.root)
    }

    fn take_folder(&self, folder: &Path) -> io::Result<()> {
        let names = self.place("names", fs::metadata(folder)?.ino());
        fs::create_dir(&names)?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let number = entry.metadata()?.ino();
            if entry.file_type()?.is_dir() {
                symlink(number.to_string(), names.join(entry.file_name()))?;
                self.take_folder(&entry.path())?;
            } else {
                let image = self.place("image", number);
                fs::hard_link(entry.path(), self.place("now", number))?;
                fs::copy(entry.path(), &image)?;
                fs::hard_link(&image, names.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    /// Makes the root what it could be after a power cut.
    pub(crate) fn cut(&self, keep: Keep, random: &mut Random) -> io::Result<Cut> {
        let mut images = HashMap::new();
        for image in fs::read_dir(self.state.join("image"))? {
            let image = image?;
            let number = image.file_name().to_string_lossy().parse().map_err(io::Error::other)?;
            images.insert(image.metadata()?.ino(), number);
        }
        let mut cutting = Cutting { platter: self, images, keep, random, cut: Cut::default() };
        let after = self.state.join("after");
        let number = fs::metadata(self.root)?.ino();
        cutting.folder(&Folder { now: Some(self.root.to_owned()), number: Some(number) }, &after)?;
        let cut = cutting.cut;
        // The folder itself stays: the one who runs the process may have it open.
        for entry in fs::read_dir(self.root)? {
            let path = entry?.path();
            if path.is_dir() { fs::remove_dir_all(path)? } else { fs::remove_file(path)? }
        }
        for entry in fs::read_dir(&after)? {
            let entry = entry?;
            fs::rename(entry.path(), self.root.join(entry.file_name()))?;
        }
        fs::remove_dir(&after)?;
        Ok(cut)
    }

    fn place(&self, kind: &str, number: u64) -> PathBuf {
        self.state.join(kind).join(number.to_string())
    }
}

struct Cutting<'a> {
    platter: &'a Platter<'a>,
    /// The number of the file of each image, by the image's own.
    images: HashMap<u64, u64>,
    keep: Keep,
    random: &'a mut Random,
    cut: Cut,
}

impl Cutting<'_> {
    /// Makes at `to` what a folder could be.
    fn folder(&mut self, folder: &Folder, to: &Path) -> io::Result<()> {
        fs::create_dir(to)?;
        if let Some(now) = &folder.now {
            fs::set_permissions(to, fs::metadata(now)?.permissions())?;
        }
        let synced = folder.number.map(|number| self.platter.place("names", number));
        let synced = synced.filter(|names| names.exists());
        let mut names = names_in(folder.now.as_deref())?;
        names.extend(names_in(synced.as_deref())?);
        for name in names {
            let path = folder.now.as_ref().map(|now| now.join(&name));
            let now = path.as_deref().map(entry_now).transpose()?.flatten();
            let on_platter = match &synced {
                Some(names) => self.entry_on_platter(&names.join(&name))?,
                None => None,
            };
            let takes_now = match self.keep {
                Keep::Nothing => false,
                Keep::Some => self.random.chance(1, 2),
                Keep::All => true,
            };
            let left = if takes_now { now } else { on_platter };
            self.cut.names += u64::from(left != now);
            match left {
                Some(Entry::File(number)) => self.file(number, path.as_deref(), &to.join(&name))?,
                Some(Entry::Folder(number)) => {
                    let path = path.filter(|_| now == left);
                    self.folder(&Folder { now: path, number: Some(number) }, &to.join(&name))?;
                }
                None => {}
            }
        }
        Ok(())
    }

    fn entry_on_platter(&self, name: &Path) -> io::Result<Option<Entry>> {
        let Ok(metadata) = fs::symlink_metadata(name) else { return Ok(None) };
        if metadata.is_symlink() {
            let number = fs::read_link(name)?.to_string_lossy().parse().map_err(io::Error::other)?;
            return Ok(Some(Entry::Folder(number)));
        }
        let number = self.images.get(&metadata.ino());
        number.map(|number| Some(Entry::File(*number))).ok_or_else(|| io::Error::other("a name of no image"))
    }

    /// Makes at `to` what file `number` could be.
    fn file(&mut self, number: u64, path: Option<&Path>, to: &Path) -> io::Result<()> {
        let held = self.platter.place("now", number);
        let now_path = if held.exists() { Some(held.as_path()) } else { path };
        let now = now_path.map(fs::read).transpose()?.unwrap_or_default();
        let image = read_or_empty(&self.platter.place("image", number))?;
        let mut map = Vec::new();
        if let Ok(file) = File::open(self.platter.place("map", number)) {
            let pages = now.len().max(image.len()).div_ceil(PAGE_BYTES);
            file.take(pages as u64).read_to_end(&mut map)?;
        }
        // Shared memory of the database's connections: written without calls, and worth nothing after a restart.
        if !to.to_string_lossy().ends_with("-shm") {
            check_calls_were_seen(&now, &image, &map, to)?;
        }
        let after = self.bytes(&now, &image, &map);
        fs::write(to, after)?;
        if let Some(path) = now_path {
            fs::set_permissions(to, fs::metadata(path)?.permissions())?;
        }
        Ok(())
    }

    fn bytes(&mut self, now: &[u8], image: &[u8], map: &[u8]) -> Vec<u8> {
        // Each file keeps another part, so that a log may be old where its database is new and the other way round.
        let kept_of_8 = *self.random.pick(&[0, 1, 4, 7, 8]);
        let takes_now = |page: u8, random: &mut Random| match (self.keep, page) {
            (Keep::Nothing, _) | (_, LOST) => false,
            (Keep::Some, DIRTY) => random.chance(kept_of_8, 8),
            (Keep::All, _) | (Keep::Some, _) => true,
        };
        let length = if takes_now(DIRTY, self.random) { now.len() } else { image.len() };
        let mut after = vec![0; length];
        for (index, sector) in after.chunks_mut(SECTOR_BYTES).enumerate() {
            let offset = index * SECTOR_BYTES;
            let page = map.get(offset / PAGE_BYTES).copied().unwrap_or_default();
            let from = if takes_now(page, self.random) { now } else { image };
            let from = from.get(offset..).unwrap_or_default();
            let from = &from[..from.len().min(sector.len())];
            sector[..from.len()].copy_from_slice(from);
            let seen = now.get(offset..).unwrap_or_default();
            self.cut.sectors += u64::from(!seen.starts_with(sector));
        }
        after
    }
}

/// Pages that are not marked must be the same in the cache and on the platter.
fn check_calls_were_seen(now: &[u8], image: &[u8], map: &[u8], name: &Path) -> io::Result<()> {
    let pairs = now.chunks(PAGE_BYTES).zip(image.chunks(PAGE_BYTES));
    for (index, (now, image)) in pairs.enumerate() {
        let length = now.len().min(image.len());
        let marked = map.get(index).is_some_and(|page| *page != 0);
        if !marked && now[..length] != image[..length] {
            let message = format!("page {index} of {} was written past the faulty disk", name.display());
            return Err(io::Error::other(message));
        }
    }
    Ok(())
}

fn names_in(folder: Option<&Path>) -> io::Result<BTreeSet<OsString>> {
    let Some(folder) = folder else { return Ok(BTreeSet::new()) };
    fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

fn entry_now(path: &Path) -> io::Result<Option<Entry>> {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => Ok(Some(Entry::Folder(found.ino()))),
        Ok(found) => Ok(Some(Entry::File(found.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn read_or_empty(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}
