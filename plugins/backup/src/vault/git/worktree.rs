//! The files beside a local repository: they follow the branch that is checked out, as after a `git pull`.

use std::{fs, io, path::Path, time::Duration};

use git2::{ErrorCode, Index, IndexEntry, IndexTime, ObjectType, Oid, Repository};

use crate::{durable, storage::StorageError};

use super::repository::{self, failed};

/// Somebody may write the message of a commit for long.
const LOCK_AGE: Duration = Duration::from_secs(60 * 60);

/// Brings files and the index to what the branch has, if it is the one that is checked out. A file that somebody is
/// working on stays; git shows it as changed.
pub(super) fn follow(
    repository: &Repository,
    branch: &str,
    paths: &[String],
    now_unix_ms: u64,
) -> Result<(), StorageError> {
    let Some(folder) = repository.workdir() else { return Ok(()) };
    let is_here = match repository.find_reference("HEAD") {
        Ok(head) => head.symbolic_target().is_ok_and(|target| target == Some(branch)),
        Err(_) => false,
    };
    if !is_here {
        return Ok(());
    }
    let lock = repository.path().join("index.lock");
    repository::break_lock(&lock, LOCK_AGE, now_unix_ms)
        .map_err(|error| StorageError::io("delete the lock", &lock, &error))?;
    let step = || -> Result<(), git2::Error> {
        let tree = repository.find_reference(branch)?.peel_to_tree()?;
        let mut index = repository.index()?;
        index.read(true)?;
        let mut is_changed = false;
        for path in paths {
            let tip = match tree.get_path(Path::new(path)) {
                Ok(entry) => Some(entry.id()),
                Err(error) if error.code() == ErrorCode::NotFound => None,
                Err(error) => return Err(error),
            };
            is_changed |= one(repository, &mut index, folder, path, tip, now_unix_ms)?;
        }
        if is_changed { index.write() } else { Ok(()) }
    };
    step().map_err(|error| failed("bring the files to the new commit", &error))
}

fn one(
    repository: &Repository,
    index: &mut Index,
    folder: &Path,
    path: &str,
    tip: Option<Oid>,
    now_unix_ms: u64,
) -> Result<bool, git2::Error> {
    let file = folder.join(path);
    let listed = index.get_path(Path::new(path), 0).map(|entry| entry.id);
    let present = match file.try_exists() {
        Ok(true) => Some(Oid::hash_file(ObjectType::Blob, &file)?),
        _ => None,
    };
    if present == listed && present != tip {
        let written = match tip {
            Some(tip) => write(&file, repository.find_blob(tip)?.content(), now_unix_ms),
            None => fs::remove_file(&file),
        };
        written.map_err(|error| git2::Error::from_str(&format!("{}: {error}", file.display())))?;
    }
    if listed == tip {
        return Ok(false);
    }
    match tip {
        Some(tip) => index.add(&entry(path, tip))?,
        None => index.remove_path(Path::new(path))?,
    }
    Ok(true)
}

fn write(file: &Path, content: &[u8], now_unix_ms: u64) -> io::Result<()> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    durable::create_folder(folder)?;
    // Of writers that were killed.
    durable::sweep(folder, now_unix_ms)?;
    durable::write(folder, name, content)
}

/// Without times and lengths: git looks at the file itself when it next wants to know.
fn entry(path: &str, id: Oid) -> IndexEntry {
    IndexEntry {
        ctime: IndexTime::new(0, 0),
        mtime: IndexTime::new(0, 0),
        dev: 0,
        ino: 0,
        mode: 0o100_644,
        uid: 0,
        gid: 0,
        file_size: 0,
        id,
        flags: 0,
        flags_extended: 0,
        path: path.as_bytes().to_vec(),
    }
}
