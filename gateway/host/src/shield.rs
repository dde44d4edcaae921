//! Keeps the gateway's own memory and environment from the plugins it starts.

use std::io;

use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// Closes this process to others of the same user: plugins run as that user, and could otherwise read every secret in
/// `/proc/<gateway>/environ` and in the gateway's memory. It leaves no core dump from then on. Does not hold against
/// root.
///
/// # Errors
/// When the kernel does not allow it.
pub fn shield_from_plugins() -> io::Result<()> {
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
