//! How far long work is, in a line that is written over.

use std::io::{self, IsTerminal, Write};

use super::table;

/// Goes to the beginning of the line, and empties it.
const EMPTY: &str = "\r\x1b[K";

/// The line that is written over; none where nobody looks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Characters in a line, `None` where talk is no terminal.
    width: Option<usize>,
    is_shown: bool,
}

impl Progress {
    /// On a terminal with lines of so many characters.
    #[must_use]
    pub const fn on_terminal(width: usize) -> Self {
        Self { width: Some(width), is_shown: false }
    }

    /// On standard error, if that is a terminal which can empty a line.
    #[must_use]
    pub fn of_process() -> Self {
        let talk = io::stderr();
        let can = talk.is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        if !can {
            return Self::default();
        }
        let columns = rustix::termios::tcgetwinsize(&talk).map_or(0, |size| usize::from(size.ws_col));
        Self::on_terminal(if columns == 0 { super::screen::WIDTH } else { columns })
    }

    pub(super) fn show(&mut self, line: &str, talk: &mut dyn Write) -> io::Result<()> {
        let Some(width) = self.width else { return Ok(()) };
        // A line that goes on in the next one could not be emptied.
        let line = table::cut(line, width.saturating_sub(1), false);
        write!(talk, "{EMPTY}{line}")?;
        self.is_shown = true;
        talk.flush()
    }

    pub(super) fn clear(&mut self, talk: &mut dyn Write) -> io::Result<()> {
        if !self.is_shown {
            return Ok(());
        }
        self.is_shown = false;
        write!(talk, "{EMPTY}")?;
        talk.flush()
    }
}
