//! A difference as text for a terminal.

use super::{Line, Shown, label, names, old_folder, shown, title};
use crate::diff::{Change, Diff, How};

impl Diff {
    /// All changes, one below the other. Empty when there are none.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_of(usize::MAX)
    }

    /// The first changes only, with which there are more than `enough` bytes.
    #[must_use]
    pub fn text_of(&self, enough: usize) -> String {
        self.shown(enough, show)
    }
}

fn show(change: &Change, text: &mut String) {
    let title = title(change);
    let line = match change.how {
        How::Added => format!("+ {title}\n"),
        How::Removed => format!("- {title}\n"),
        How::Moved => format!("> {title}, from {}\n", old_folder(change).unwrap_or_default()),
        How::Reordered => format!("> {title}, within its list\n"),
        How::Renamed => match change.fields.first().map(shown) {
            Some(Shown::Values(before, _)) => format!("~ {title}, was {}\n", names(&[before])),
            _ => format!("~ {title}, renamed\n"),
        },
        How::Changed => format!("~ {title}\n"),
    };
    text.push_str(&line);
    if change.how == How::Renamed {
        return;
    }
    for field in &change.fields {
        let label = label(field);
        match shown(field) {
            Shown::Values(before, after) => text.push_str(&format!("    {label}: {before} → {after}\n")),
            Shown::Hidden => text.push_str(&format!("    {label}: another secret\n")),
            Shown::Long => text.push_str(&format!("    {label}: too long to be shown\n")),
            Shown::Lines(lines) => {
                text.push_str(&format!("    {label}:\n"));
                for line in lines {
                    text.push_str(&match line {
                        Line::Gone(line) => format!("      - {line}\n"),
                        Line::Come(line) => format!("      + {line}\n"),
                        Line::Left(lines) => format!("      … {lines} more\n"),
                    });
                }
            }
        }
    }
}
