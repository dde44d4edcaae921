//! What is wrong with a configuration, where, and what to do about it.

use std::{fmt, ops::Range, path::PathBuf};

/// One thing to mend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The setting, as a path from the top of the file (`destination[1].config.root`), or the environment variable.
    pub path: String,
    /// Where it stands in the file; `None` for what does not stand in it.
    pub position: Option<Position>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Fault {
    /// A fault without position and hint.
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), position: None, message: message.into(), hint: None }
    }

    /// Says what to do about it.
    pub fn hint(&mut self, hint: impl Into<String>) {
        self.hint = Some(hint.into());
    }
}

/// A place in the file; both numbers count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// All faults of one file, in the order in which they stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    /// The file, as the caller named it.
    pub file: PathBuf,
    /// The faults; never empty.
    pub faults: Vec<Fault>,
}

/// One line `file:line: path: message` for each fault, with the hint indented below it. What does not stand in the
/// file begins with its path.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            if let Some(position) = fault.position {
                write!(f, "{}:{}: ", self.file.display(), position.line)?;
            }
            if !fault.path.is_empty() {
                write!(f, "{}: ", fault.path)?;
            }
            write!(f, "{}", fault.message)?;
            if let Some(hint) = &fault.hint {
                write!(f, "\n    hint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A setting while the file is being read: its path and the bytes it stands at.
#[derive(Debug, Clone)]
pub(super) struct Spot {
    pub(super) path: String,
    pub(super) span: Range<usize>,
}

/// Gathers faults while a file is read, so that all are told at once.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    text: &'a str,
    faults: Vec<Fault>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, faults: Vec::new() }
    }

    /// Adds a fault of the setting at `spot`.
    pub(super) fn at(&mut self, spot: &Spot, message: impl Into<String>) -> &mut Fault {
        let position = Some(self.position(spot.span.start));
        self.add(Fault { position, ..Fault::new(spot.path.clone(), message) })
    }

    /// Adds a fault of a line that is not TOML; other faults of the line are guesses and go.
    pub(super) fn unreadable(&mut self, spot: &Spot, cause: &str) {
        let line = Some(self.position(spot.span.start).line);
        self.faults.retain(|fault| fault.path.is_empty() || fault.position.map(|at| at.line) != line);
        self.at(spot, format!("not TOML: {cause}"))
            .hint("text needs quotes, a list [ ], a table { }; each key and each [table] stands once");
    }

    /// Adds a fault.
    pub(super) fn add(&mut self, fault: Fault) -> &mut Fault {
        self.faults.push(fault);
        let last = self.faults.len() - 1;
        &mut self.faults[last]
    }

    /// The line and column of the byte at `offset`.
    pub(super) fn position(&self, offset: usize) -> Position {
        let before = &self.text[..self.text.floor_char_boundary(offset)];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Position { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
    }

    /// The faults in the order of the file; those outside it come last.
    pub(super) fn into_sorted(mut self) -> Vec<Fault> {
        self.faults.sort_by_key(|fault| (fault.position.is_none(), fault.position));
        self.faults
    }
}
