//! The documents in parts: fenced blocks, sections, tables, and what stands in back quotes.

use std::collections::BTreeSet;

#[derive(Debug, Clone, Copy)]
pub(super) struct Document {
    /// From the root of the repository.
    pub(super) path: &'static str,
    pub(super) text: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Block {
    pub(super) language: &'static str,
    pub(super) text: &'static str,
    /// The last line of text before it.
    pub(super) before: &'static str,
}

impl Document {
    pub(super) fn blocks(self) -> Vec<Block> {
        // Every second part between fences is a block, and begins with its language.
        let parts: Vec<&str> = self.text.split("```").collect();
        let blocks = parts.windows(2).step_by(2).map(|parts| {
            let (language, text) = parts[1].split_once('\n').expect("a fence has a line of its own");
            Block { language, text, before: parts[0].trim_end().lines().next_back().unwrap_or_default() }
        });
        blocks.collect()
    }

    pub(super) fn blocks_in(self, language: &str) -> impl Iterator<Item = Block> {
        self.blocks().into_iter().filter(move |block| block.language == language)
    }

    /// The text below `heading`, up to the next heading of any level.
    #[track_caller]
    pub(super) fn section(self, heading: &str) -> &'static str {
        let (_, below) = self.text.split_once(&format!("\n{heading}\n")).expect(heading);
        below.split("\n#").next().unwrap()
    }

    /// What stands in back quotes outside of blocks.
    pub(super) fn quoted(self) -> impl Iterator<Item = &'static str> {
        let prose = self.text.split("```").step_by(2);
        prose.flat_map(|prose| prose.split('`').skip(1).step_by(2))
    }
}

/// The rows of the tables of `text` whose header begins with `header`, cell by cell.
#[track_caller]
pub(super) fn rows(text: &'static str, header: &str) -> Vec<Vec<&'static str>> {
    let mut lines = text.lines();
    let mut rows = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with(&format!("| {header} |")) {
            let table = lines.by_ref().skip(1).take_while(|line| line.starts_with('|'));
            rows.extend(
                table.map(|row| row.trim_matches('|').split(" |").map(str::trim).collect::<Vec<_>>()),
            );
        }
    }
    assert!(!rows.is_empty(), "there is no table of {header}");
    rows
}

/// The names in back quotes in one cell.
pub(super) fn names(cell: &'static str) -> impl Iterator<Item = String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The names in the first column of the tables whose header begins with `header`.
#[track_caller]
pub(super) fn first_names(text: &'static str, header: &str) -> BTreeSet<String> {
    rows(text, header).into_iter().flat_map(|row| names(row[0])).collect()
}
