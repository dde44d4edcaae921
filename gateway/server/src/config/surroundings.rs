//! What a configuration takes from outside its file: environment and place of the program. Both are passed in, so
//! that tests need neither.

use std::{ffi::OsString, fmt, path::PathBuf};

/// The environment and the program's place.
pub struct Surroundings<'a> {
    /// Looks up an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The folder of the running program, where the bundled plugins lie; `None` when the system does not tell.
    pub program_folder: Option<PathBuf>,
}

impl Surroundings<'static> {
    /// Those of this process.
    #[must_use]
    pub fn of_process() -> Self {
        let program_folder =
            std::env::current_exe().ok().and_then(|program| Some(program.parent()?.to_owned()));
        Self { env: &|name| std::env::var_os(name), program_folder }
    }
}

// The environment holds secrets.
impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").field("program_folder", &self.program_folder).finish_non_exhaustive()
    }
}
