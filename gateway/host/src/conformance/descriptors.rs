//! How many descriptors a process has open, as the kernel counts them.

use std::{fs, io};

/// Those of the process `pid`, which may be one that lets nobody look into it.
///
/// Since Linux 6.2 the size of the folder is their number, and may be asked for by anybody. Before, the folder has to be
/// listed; a process that cannot be looked into still tells how large its table is, which grows too.
pub(super) fn open_descriptors(pid: u32) -> io::Result<u64> {
    let folder = format!("/proc/{pid}/fd");
    let open = fs::metadata(&folder)?.len();
    if open > 0 {
        return Ok(open);
    }
    if let Ok(entries) = fs::read_dir(&folder) {
        return Ok(entries.count() as u64);
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let table = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
    let table = table.and_then(|line| line.trim().parse().ok());
    table.ok_or_else(|| io::Error::other("the kernel does not tell its descriptors"))
}
