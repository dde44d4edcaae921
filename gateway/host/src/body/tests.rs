use std::sync::Arc;

use bytes::Bytes;

use super::{BodyFault, PLUGIN_BODY_BYTES_MAX, PluginBody};
use crate::testing::read_only;

fn file(content: &[u8], bytes: u64) -> PluginBody {
    PluginBody::File { file: Arc::new(read_only(content)), bytes }
}

/// Zeros that nobody has touched, so they take no memory.
fn zeros(bytes: usize) -> PluginBody {
    PluginBody::Bytes(Bytes::from(vec![0; bytes]))
}

#[test]
fn bodies_up_to_the_bound_and_whole_files_pass() {
    assert!(PluginBody::Bytes(Bytes::new()).check().is_ok());
    assert!(zeros(PLUGIN_BODY_BYTES_MAX).check().is_ok());
    assert!(file(b"", 0).check().is_ok());
    assert!(file(b"four", 4).check().is_ok());
}

#[test]
fn what_a_plugin_must_not_have_is_refused() {
    let too_large = zeros(PLUGIN_BODY_BYTES_MAX + 1).check();
    assert!(matches!(too_large, Err(BodyFault::TooLarge { .. })), "{too_large:?}");
    let longer = file(b"four", 3).check();
    assert!(matches!(longer, Err(BodyFault::Length { expected: 3, found: 4 })), "{longer:?}");
    let writable = PluginBody::File { file: Arc::new(tempfile::tempfile().unwrap()), bytes: 0 }.check();
    assert!(matches!(writable, Err(BodyFault::Writable)), "{writable:?}");
}
