//! How much a plugin may keep.

use super::{faults::check_in_destination, good};
use crate::config::PluginStateBounds;

#[track_caller]
fn check_bounds(settings: &str, keys_max: u32, bytes_max: u64) {
    let config = good(&format!("[[destination]]\nname = \"d\"\nplugin = \"p\"\n{settings}"));
    assert_eq!(config.destinations[0].state, PluginStateBounds { keys_max, bytes_max });
}

#[test]
fn a_plugin_may_keep_what_the_destination_says() {
    check_bounds("", 10_000, 16 << 20);
    check_bounds("state = { keys = 5 }", 5, 16 << 20);
    check_bounds("state = { size = \"1 GiB\" }", 10_000, 1 << 30);
    check_bounds("state = { keys = 0, size = \"0 B\" }", 0, 0);
}

#[test]
fn what_is_no_bound_is_told() {
    let state = |setting: &str, fault: &str, hint: &str| {
        check_in_destination(&format!("state = {{ {setting} }}"), &format!("state.{fault}"), hint);
    };
    state("size = \"big\"", "size: not a size", "16 MiB");
    state("key = 5", "key: unknown key", "did you mean \"keys\"?");
}
