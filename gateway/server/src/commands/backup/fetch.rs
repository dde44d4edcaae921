//! The body of a version, part by part.

use std::{
    fs::{self, File, Permissions},
    io::{self, Read as _, Seek as _, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    act::{Backups, READING, not_understood, number},
    find::{self, Found},
    shown::size_of,
};
use crate::{
    command::{Exit, Failure},
    output::Output,
};

/// Written to standard output at once.
const PIECE_BYTES: usize = 64 * 1024;

/// Writes the body of a version to `file`. Under that name is the whole body with the right hash, or what was there before.
pub(super) fn into_file(
    backups: &Backups,
    found: &Found,
    version: &Value,
    file: &Path,
    force: bool,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let unwritten =
        |error: io::Error| Failure::new(Exit::Failed, format!("cannot write {}: {error}", file.display()));
    if !force && fs::symlink_metadata(file).is_ok() {
        return Err(exists(file));
    }
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    // As any file that a program writes for its user: the umask says who may read it.
    let mut temporary = tempfile::Builder::new()
        .prefix(".postroom-restore-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(&folder)
        .map_err(unwritten)?;
    fetch(backups, found, version, output, |data| temporary.write_all(data).map_err(unwritten))?;
    temporary.as_file().sync_all().map_err(unwritten)?;
    if force {
        temporary.persist(file).map_err(|error| unwritten(error.error))?;
    } else {
        temporary.persist_noclobber(file).map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => exists(file),
            _ => unwritten(error.error),
        })?;
    }
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(unwritten)
}

/// Writes the body of a version to standard output, once all of it is here and has the right hash.
pub(super) fn to_output(
    backups: &Backups,
    found: &Found,
    version: &Value,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let unkept = |error: io::Error| {
        Failure::new(Exit::Failed, format!("cannot keep the version for a moment: {error}"))
    };
    let mut spool = tempfile::tempfile().map_err(unkept)?;
    fetch(backups, found, version, output, |data| spool.write_all(data).map_err(unkept))?;
    spool.rewind().map_err(unkept)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match spool.read(&mut piece).map_err(unkept)? {
            0 => return Ok(()),
            read => output.bytes(&piece[..read])?,
        }
    }
}

/// Gives all parts of a body to `write`, and fails in the end if they are not what the version's record says.
fn fetch(
    backups: &Backups,
    found: &Found,
    version: &Value,
    output: &mut Output<'_>,
    mut write: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let bytes = number(version, "bytes")?;
    // By its id: a newer version that comes meanwhile is another one.
    let mut input = json!({ "collection": found.key, "version": find::id(version)? });
    let (mut hash, mut offset) = (Sha256::new(), 0);
    loop {
        output.progress(format_args!("{}: {} of {}", found.name, size_of(offset), size_of(bytes)))?;
        input["offset"] = json!(offset);
        let answer = backups.act("show", input.clone(), READING)?;
        let part = &answer["part"];
        let data = part["base64"].as_str().and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        let data = data.filter(|_| part["offset"] == offset).ok_or_else(not_understood)?;
        hash.update(&data);
        write(&data)?;
        offset += data.len() as u64;
        match &part["next"] {
            Value::Null => break,
            // Any other would leave something out, or go on for ever.
            next if *next == offset && !data.is_empty() && offset < bytes => {}
            _ => return Err(not_understood()),
        }
    }
    let sha256: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if offset != bytes || version["sha256"] != sha256 {
        return Err(Failure::new(
            Exit::Failed,
            "what came is not what the version's record says: its hash is another",
        )
        .hint("`postroom backup verify` tells what is damaged"));
    }
    Ok(())
}

fn exists(file: &Path) -> Failure {
    Failure::new(Exit::Failed, format!("{} is there already", file.display()))
        .hint("add --force to put the version in its place")
}
