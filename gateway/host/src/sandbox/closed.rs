//! Places that no plugin gets, whoever grants them.
//!
//! Through `/proc` and `/dev` a process gets at descriptors, memory and terminals, its own from before its sandbox included;
//! and whoever has the gateway's database has everybody's events.

use std::{
    fs,
    os::fd::AsFd,
    path::{Path, PathBuf},
};

use rustix::fs::{FsWord, PROC_SUPER_MAGIC, StatFs, fstatfs, statfs};

use super::Folder;

const OF_SYSTEM: [&str; 3] = ["/proc", "/sys", "/dev"];
const SYSFS_MAGIC: FsWord = 0x6265_6572;

/// Why some of `folders` are granted to nobody, one sentence each. `own` are the gateway's own files and folders. Waits for
/// the file system.
pub(crate) fn refused(folders: &[Folder], own: &[PathBuf]) -> Vec<String> {
    let own: Vec<PathBuf> = own.iter().map(|path| resolved(path)).collect();
    let refusal = |folder: &Folder| {
        let path = resolved(&folder.path);
        let reason = why(&path, &own)?;
        let leads =
            if path == folder.path { String::new() } else { format!(" leads to {},", path.display()) };
        let and = if leads.is_empty() { "" } else { " which" };
        Some(format!("{}{leads}{and} is granted to no plugin: {reason}", folder.path.display()))
    };
    folders.iter().filter_map(refusal).collect()
}

/// Whether this is a file of a file system in which the kernel shows itself, wherever that is mounted.
pub(crate) fn is_of_kernel(file: impl AsFd) -> bool {
    fstatfs(file).is_ok_and(shows_kernel)
}

fn why(path: &Path, own: &[PathBuf]) -> Option<String> {
    for system in OF_SYSTEM.map(Path::new) {
        if path.starts_with(system) {
            return Some(format!("it lies in {}", system.display()));
        }
        if system.starts_with(path) {
            return Some(format!("{} lies in it", system.display()));
        }
    }
    for own in own {
        if path.starts_with(own) {
            return Some("it is the gateway's own".to_owned());
        }
        if own.starts_with(path) {
            return Some(format!("{}, which is the gateway's own, lies in it", own.display()));
        }
    }
    statfs(path).is_ok_and(shows_kernel).then(|| "the kernel shows itself there".to_owned())
}

fn shows_kernel(found: StatFs) -> bool {
    [PROC_SUPER_MAGIC, SYSFS_MAGIC].contains(&found.f_type)
}

/// The path without links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|above| Some((above, fs::canonicalize(above).ok()?)));
    let Some((above, found)) = there else { return path.to_owned() };
    match path.strip_prefix(above) {
        Ok(rest) if !rest.as_os_str().is_empty() => found.join(rest),
        _ => found,
    }
}

#[cfg(test)]
mod tests;
