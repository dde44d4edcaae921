//! One repository on disk: made, opened, and mended after a crash.

use std::{
    ffi::OsStr,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use git2::{
    Blob, Commit, Config, ConfigLevel, ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions,
    RepositoryOpenFlags,
};

use crate::storage::StorageError;

/// How old a lock of a branch must be for its owner to be dead: git holds one for the time of one write.
const LOCK_AGE: Duration = Duration::from_secs(60);
/// libgit2 opens no repository where this is present and cannot be read.
const SYSTEM_SETTINGS: &str = "/etc/gitconfig";
/// What makes every object and branch durable before its write returns; for this program alone.
const SETTINGS: &str = "[core]\n\tfsyncObjectFiles = true\n";

pub(super) fn failed(doing: &str, error: &git2::Error) -> StorageError {
    let why = format!("cannot {doing}: {}", error.message());
    if why.contains(SYSTEM_SETTINGS) {
        let why = format!("{why}: libgit2 wants to read this file, which the sandbox does not let it");
        return StorageError::Misconfigured { setting: "grant", why };
    }
    match error.code() {
        ErrorCode::Owner => StorageError::Misconfigured {
            setting: "root",
            why: "the repository belongs to another user than the gateway runs as".to_owned(),
        },
        ErrorCode::Locked => StorageError::Other { code: "locked".to_owned(), why },
        _ => StorageError::Other { code: "git".to_owned(), why },
    }
}

fn io_failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    move |error| StorageError::io(doing, path, &error)
}

/// Opens the repository in this very folder; `None` when there is none.
pub(super) fn open(folder: &Path) -> Result<Option<Repository>, StorageError> {
    // The environment, because the gateway says there that the settings of the machine are not to be read.
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::FROM_ENV;
    let repository = match Repository::open_ext(folder, flags, &[] as &[&OsStr]) {
        Ok(repository) => repository,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(failed("open the repository", &error)),
    };
    let settings = repository.path().join("postroom.gitconfig");
    if fs::read(&settings).ok().as_deref() != Some(SETTINGS.as_bytes()) {
        fs::write(&settings, SETTINGS).map_err(io_failed("write to", &settings))?;
    }
    let own = repository.path().join("config");
    let config = || {
        let mut config = Config::new()?;
        config.add_file(&own, ConfigLevel::Local, false)?;
        config.add_file(&settings, ConfigLevel::App, false)?;
        repository.set_config(&config)
    };
    config().map_err(|error| failed("read the settings of the repository", &error))?;
    Ok(Some(repository))
}

/// Makes a repository in a folder that has none.
pub(super) fn make(folder: &Path, is_bare: bool, branch: &str) -> Result<Repository, StorageError> {
    crate::durable::create_folder(folder).map_err(io_failed("create the folder", folder))?;
    let mut options = RepositoryInitOptions::new();
    options.bare(is_bare).mkdir(false).mkpath(false).external_template(false).initial_head(branch);
    // When it is made libgit2 opens it, but without regard to the environment: whether it is whole is seen below.
    let made = Repository::init_opts(folder, &options);
    match (open(folder)?, made) {
        (Some(repository), _) => Ok(repository),
        (None, Err(error)) => Err(failed("make a repository", &error)),
        (None, Ok(_)) => Err(StorageError::other("git", "the repository that was made is not there")),
    }
}

/// The commit of a branch; `None` when there is no such branch.
pub(super) fn tip(repository: &Repository, branch: &str) -> Result<Option<Oid>, git2::Error> {
    match repository.find_reference(branch) {
        Ok(reference) => Ok(Some(reference.peel_to_commit()?.id())),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Moves a branch, unless somebody else has moved it; then `false`.
pub(super) fn move_branch(
    repository: &Repository,
    branch: &str,
    from: Option<Oid>,
    to: Oid,
    now_unix_ms: u64,
) -> Result<bool, StorageError> {
    let log = "postroom: backup";
    let moved = match from {
        Some(from) => repository.reference_matching(branch, to, true, from, log),
        None => repository.reference(branch, to, false, log),
    };
    match moved {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), ErrorCode::Modified | ErrorCode::Exists) => Ok(false),
        Err(error) if error.code() == ErrorCode::Locked => {
            let lock = repository.path().join(format!("{branch}.lock"));
            if break_lock(&lock, LOCK_AGE, now_unix_ms).map_err(io_failed("delete the lock", &lock))? {
                return Ok(false);
            }
            Err(failed("move the branch", &error))
        }
        Err(error) => Err(failed("move the branch", &error)),
    }
}

/// Deletes a lock whose owner was killed; gives whether it is gone.
pub(super) fn break_lock(lock: &Path, age: Duration, now_unix_ms: u64) -> io::Result<bool> {
    let modified = match fs::metadata(lock).and_then(|lock| lock.modified()) {
        Ok(modified) => modified,
        // Whoever held it is done.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(error),
    };
    let now = UNIX_EPOCH + Duration::from_millis(now_unix_ms);
    if now.duration_since(modified).unwrap_or_default() < age {
        return Ok(false);
    }
    fs::remove_file(lock).map(|()| true)
}

/// Deletes what a killed process left in a repository that nobody else uses.
pub(super) fn sweep(folder: &Path) -> io::Result<usize> {
    let mut swept = 0;
    let mut folders: Vec<PathBuf> = ["", "refs", "objects/pack"].iter().map(|it| folder.join(it)).collect();
    let mut is_below_refs = vec![false, true, false];
    while let (Some(at), Some(deep)) = (folders.pop(), is_below_refs.pop()) {
        let entries = match fs::read_dir(&at) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if entry.file_type()?.is_dir() {
                if deep {
                    folders.push(entry.path());
                    is_below_refs.push(true);
                }
            } else if name.ends_with(".lock") || name.contains("_git2_") || name.starts_with("pack_git2") {
                fs::remove_file(entry.path())?;
                swept += 1;
            }
        }
    }
    Ok(swept)
}

/// The file at a path in a commit.
pub(super) fn blob_at<'a>(
    repository: &'a Repository,
    commit: &Commit<'_>,
    path: &str,
) -> Result<Option<Blob<'a>>, git2::Error> {
    let entry = match commit.tree()?.get_path(Path::new(path)) {
        Ok(entry) => entry,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match entry.kind() {
        Some(ObjectType::Blob) => repository.find_blob(entry.id()).map(Some),
        _ => Ok(None),
    }
}
