//! Each submodule tests one promise of the configuration.

mod defaults;
mod faults;
mod plugin_state;
mod precedence;
mod retention;
mod sandbox;
mod schedule;
mod secrets;
mod when;

use std::{ffi::OsString, path::Path};

use super::{Config, Faults, Overrides, Surroundings, parse};

pub(super) use self::faults::check;

/// Reads `text` as `/etc/postroom/postroom.toml`, with `env` as the whole environment.
fn parse_with(text: &str, env: &[(&str, &str)], flags: Overrides) -> Result<Config, Faults> {
    let lookup =
        |name: &str| env.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
    let surroundings = Surroundings { env: &lookup, program_folder: Some("/opt/postroom".into()) };
    parse(text, Path::new("postroom.toml"), Path::new("/etc/postroom"), flags, &surroundings).finish()
}

#[track_caller]
pub(super) fn good(text: &str) -> Config {
    parse_with(text, &[], Overrides::default()).unwrap_or_else(|faults| panic!("{faults}"))
}

#[track_caller]
pub(super) fn faults_of(text: &str) -> Faults {
    parse_with(text, &[], Overrides::default()).expect_err("the text should have faults")
}
