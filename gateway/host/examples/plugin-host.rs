//! The smallest program that can host a plugin: what the `postroom` command does for its hidden `plugin-host`.
//!
//! The tests of this crate start their plugin processes from it, so that they need no other crate.

use std::process::ExitCode;

fn main() -> ExitCode {
    postroom_host::plugin_host_main()
}
