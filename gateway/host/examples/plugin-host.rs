//! The smallest gateway, for the tests of this crate, so that they need no other crate.
//!
//! `plugin-host` hosts a plugin, as the `postroom` command does for its hidden `plugin-host`.
//! `check-at-end-of-input LIBRARY` waits until its input ends, and then has a plugin check an empty config.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    ffi::OsStr,
    io::{copy, sink, stdin},
    path::Path,
    process::ExitCode,
};

use postroom_host::{Program, Sandbox, check_config, inspect, plugin_host_main};
use serde_json::json;
use tokio::runtime::Runtime;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args_os().skip(1);
    match (arguments.next(), arguments.next()) {
        (Some(command), None) if command == "plugin-host" => Ok(plugin_host_main()),
        (Some(command), Some(library)) if command == "check-at-end-of-input" => {
            check_at_end_of_input(&library)
        }
        _ => Err("give plugin-host, or check-at-end-of-input and a library".into()),
    }
}

fn check_at_end_of_input(library: &OsStr) -> Result<ExitCode, Box<dyn Error>> {
    copy(&mut stdin(), &mut sink())?;
    let plugin = inspect(Path::new(library))?;
    let (config, secrets) = (json!({}), BTreeMap::new());
    Runtime::new()?.block_on(check_config(
        &Program::ThisProcess,
        &Sandbox::default(),
        &plugin,
        &config,
        &secrets,
    ))?;
    Ok(ExitCode::SUCCESS)
}
