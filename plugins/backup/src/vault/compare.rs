//! Comparing bodies within the memory that a plugin has.

use postroom_sdk::tokio::sync::{Mutex, MutexGuard};

use super::Version;
use crate::collection::{self, Diff, Tree, Unreadable};

/// A body beyond this is not compared: both would be in memory.
const BODY_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Two bodies of more than this together are compared one pair at a time.
const TOGETHER_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Who compares large bodies has it. One for all destinations, which may share a process.
static TURN: Mutex<()> = Mutex::const_new(());

/// Whether two versions are short enough to be compared.
pub(super) fn is_within(before: &Version, after: &Version) -> bool {
    before.bytes.max(after.bytes) <= BODY_BYTES_MAX
}

/// Waits until no other large bodies are being compared, if these are large: so many bytes together.
pub(super) async fn turn(bytes: u64) -> Option<MutexGuard<'static, ()>> {
    if bytes > TOGETHER_BYTES_MAX { Some(TURN.lock().await) } else { None }
}

/// What changed from one body to another.
pub(super) fn diff(before: &[u8], after: &[u8]) -> Result<Diff, Unreadable> {
    Ok(collection::diff_in_brief(&Tree::parse(before)?, &Tree::parse(after)?))
}
