//! The one place that prints. Data goes to standard output, so that it can be piped; talk goes to standard error.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Write},
};

use serde::Serialize;

mod progress;
mod screen;
mod table;

pub use self::{progress::Progress, screen::Screen};

/// Where a command writes.
pub struct Output<'a> {
    data: &'a mut dyn Write,
    talk: &'a mut dyn Write,
    colour: Colour,
    screen: Screen,
    progress: Progress,
    person: Option<&'a mut dyn BufRead>,
}

/// Which of the two are shown in colour.
#[derive(Debug, Clone, Copy, Default)]
pub struct Colour {
    data: bool,
    talk: bool,
}

/// Standard output or standard error cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the output: {0}")]
pub struct OutputError(#[from] pub io::Error);

const BOLD: &str = "\x1b[1m";
const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

impl Colour {
    /// Colour on terminals, unless `NO_COLOR` is set or the terminal has none.
    #[must_use]
    pub fn of_process() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let allowed = !no_colour && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        Self { data: allowed && io::stdout().is_terminal(), talk: allowed && io::stderr().is_terminal() }
    }

    /// Whether standard error is shown in colour.
    #[must_use]
    pub const fn talk(self) -> bool {
        self.talk
    }
}

impl<'a> Output<'a> {
    /// Writes data and talk to these.
    pub fn new(data: &'a mut dyn Write, talk: &'a mut dyn Write, colour: Colour) -> Self {
        Self { data, talk, colour, screen: Screen::default(), progress: Progress::default(), person: None }
    }

    /// Tells how far long work is, as far as `progress` can be seen.
    #[must_use]
    pub fn telling(self, progress: Progress) -> Self {
        Self { progress, ..self }
    }

    /// Asks somebody who reads the talk and answers here.
    #[must_use]
    pub fn asking(self, person: &'a mut dyn BufRead) -> Self {
        Self { person: Some(person), ..self }
    }

    /// Shows data on this.
    #[must_use]
    pub fn on(self, screen: Screen) -> Self {
        Self { screen, ..self }
    }

    /// What data is shown on.
    #[must_use]
    pub const fn screen(&self) -> Screen {
        self.screen
    }

    /// `text` in a colour that warns, where data is shown in colour.
    pub fn warning(&self, text: impl fmt::Display) -> String {
        if self.colour.data { format!("{RED}{text}{PLAIN}") } else { text.to_string() }
    }

    /// Writes data as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        self.progress.clear(self.talk)?;
        Ok(self.data.write_all(bytes)?)
    }

    /// Writes one line of data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        self.progress.clear(self.talk)?;
        Ok(writeln!(self.data, "{line}")?)
    }

    /// Writes `value` as indented JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn json(&mut self, value: &impl Serialize) -> Result<(), OutputError> {
        self.progress.clear(self.talk)?;
        serde_json::to_writer_pretty(&mut *self.data, value).map_err(io::Error::from)?;
        Ok(writeln!(self.data)?)
    }

    /// Writes a table with aligned columns; nothing when it has no rows. Cells may hold what strangers wrote: see [`plain`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: &[[String; N]],
    ) -> Result<(), OutputError> {
        self.write_table(&header, &rows.iter().map(|row| row.iter().map(plain).collect()).collect::<Vec<_>>())
    }

    /// Writes a table as [`Output::table`], in which the cells of column `cut` are cut as far as that helps lines to fit on a
    /// terminal; elsewhere they are whole.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table_within<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: &[[String; N]],
        cut: usize,
    ) -> Result<(), OutputError> {
        self.table_sparing(header, rows, cut, &[])
    }

    /// Writes a table as [`Output::table_within`]. Where that does not help enough, it goes without the columns `spare`, which
    /// `cut` is none of, the first of them first, and says so.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table_sparing<const N: usize>(
        &mut self,
        header: [&str; N],
        rows: &[[String; N]],
        cut: usize,
        spare: &[usize],
    ) -> Result<(), OutputError> {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(plain).collect()).collect();
        let Screen { width, unicode, is_terminal } = self.screen;
        if !is_terminal || rows.is_empty() {
            return self.write_table(&header, &rows);
        }
        let widths = table::widths(&header, &rows);
        let kept = table::kept(&widths, cut, spare, width);
        let kept_widths: Vec<usize> = kept.iter().map(|column| widths[*column]).collect();
        let cut_at = kept.iter().take_while(|column| **column != cut).count();
        let room = table::room(&kept_widths, cut_at, width);
        let cell = |column: usize, cell: &str| {
            if column == cut { table::cut(cell, room, unicode) } else { cell.to_owned() }
        };
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| kept.iter().map(|column| cell(*column, &row[*column])).collect()).collect();
        let kept_header: Vec<&str> = kept.iter().map(|column| header[*column]).collect();
        self.write_table(&kept_header, &rows)?;
        let gone: Vec<&str> = header.into_iter().filter(|name| !kept_header.contains(name)).collect();
        if !gone.is_empty() {
            self.say(format_args!("no room for {}: a wider terminal or --json has it", gone.join(", ")))?;
        }
        Ok(())
    }

    fn write_table(&mut self, header: &[&str], rows: &[Vec<String>]) -> Result<(), OutputError> {
        if rows.is_empty() {
            return Ok(());
        }
        let widths = table::widths(header, rows);
        let header = table::aligned(header, &widths);
        if self.colour.data {
            self.line(format_args!("{BOLD}{header}{PLAIN}"))?;
        } else {
            self.line(header)?;
        }
        rows.iter().try_for_each(|row| self.line(table::aligned(row, &widths)))
    }

    /// Says something to the person, beside the data.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn say(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        self.progress.clear(self.talk)?;
        Ok(writeln!(self.talk, "{line}")?)
    }

    /// Says how far long work is, in a line that the next one takes the place of. Nothing where nobody looks.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn progress(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        Ok(self.progress.show(&plain(line.to_string()), self.talk)?)
    }

    /// Whether there is somebody to ask.
    #[must_use]
    pub const fn can_ask(&self) -> bool {
        self.person.is_some()
    }

    /// Asks a question that yes or no answers. Whatever is not a yes is a no, and so is nobody's answer.
    ///
    /// # Errors
    /// When the question cannot be written, or the answer not be read.
    pub fn ask(&mut self, question: impl fmt::Display) -> Result<bool, OutputError> {
        self.progress.clear(self.talk)?;
        let Some(person) = &mut self.person else { return Ok(false) };
        write!(self.talk, "{question} [y/N] ")?;
        self.talk.flush()?;
        let mut answer = String::new();
        person.read_line(&mut answer)?;
        Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
    }

    /// Says that something went wrong.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn error(&mut self, message: impl fmt::Display) -> Result<(), OutputError> {
        if self.colour.talk {
            self.say(format_args!("{RED}error:{PLAIN} {message}"))
        } else {
            self.say(format_args!("error: {message}"))
        }
    }
}

impl fmt::Debug for Output<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("colour", &self.colour).finish_non_exhaustive()
    }
}

/// `text` in one line and without anything that a terminal acts on or that changes the order of what is read.
#[must_use]
pub fn plain(text: impl AsRef<str>) -> String {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.as_ref().replace(acts, " ")
}

#[cfg(test)]
mod tests;
