//! What data is shown on.

use std::io::{self, IsTerminal};

/// How much room there is, and which characters can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Screen {
    /// Characters in a line.
    pub width: usize,
    /// Whether others than those of ASCII can be seen.
    pub unicode: bool,
    /// Whether somebody looks at it: lines that do not fit are hard to read then.
    pub is_terminal: bool,
}

pub(super) const WIDTH: usize = 80;
const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 240;

/// A file, or another program.
impl Default for Screen {
    fn default() -> Self {
        Self { width: WIDTH, unicode: false, is_terminal: false }
    }
}

impl Screen {
    /// Standard output. What is no terminal gets the same whatever the language is set to.
    #[must_use]
    pub fn of_process() -> Self {
        let stdout = io::stdout();
        if !stdout.is_terminal() {
            return Self::default();
        }
        let columns = rustix::termios::tcgetwinsize(&stdout).map_or(0, |size| usize::from(size.ws_col));
        let width = if columns == 0 { WIDTH } else { columns };
        let unicode = speaks_utf8(|name| std::env::var(name).ok());
        Self { width: width.clamp(WIDTH_MIN, WIDTH_MAX), unicode, is_terminal: true }
    }
}

/// By the first of the variables that says anything, as everywhere.
fn speaks_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| variable(name).filter(|set| !set.is_empty()));
    set.is_some_and(|set| {
        let set = set.to_ascii_lowercase();
        set.contains("utf-8") || set.contains("utf8")
    })
}

#[cfg(test)]
mod tests;
