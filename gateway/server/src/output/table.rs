//! How much room texts take in the columns of a table.

/// No column is cut to less.
const ROOM_MIN: usize = 20;
/// Between two columns.
const GAP: usize = 2;

/// The widest cell of each column.
pub(super) fn widths(header: &[&str], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = header.iter().copied().map(width).collect();
    for row in rows {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(width(cell));
        }
    }
    widths
}

/// How wide column `cut` may be for a line to fit into `line`, as far as that is possible.
pub(super) fn room(widths: &[usize], cut: usize, line: usize) -> usize {
    let others: usize = widths.iter().sum::<usize>() - widths[cut] + GAP * (widths.len() - 1);
    line.saturating_sub(others).max(ROOM_MIN)
}

/// The columns of a table that a line has room for: without as many of `spare`, in their order, as must go for that. Column
/// `cut` may be cut.
pub(super) fn kept(widths: &[usize], cut: usize, spare: &[usize], line: usize) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..widths.len()).collect();
    for spared in spare {
        let least =
            |column: &usize| if *column == cut { widths[*column].min(ROOM_MIN) } else { widths[*column] };
        if kept.iter().map(least).sum::<usize>() + GAP * (kept.len() - 1) <= line {
            break;
        }
        kept.retain(|column| column != spared);
    }
    kept
}

/// As much of a text as there is room for, with a mark where it was cut.
pub(super) fn cut(text: &str, room: usize, unicode: bool) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mark = if unicode { "…" } else { "..." };
    let mut left = room.saturating_sub(width(mark));
    let fits = |char: &char| {
        let taken = columns(*char);
        let fits = taken <= left;
        left = left.saturating_sub(taken);
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}{mark}", kept.trim_end())
}

pub(super) fn aligned(cells: &[impl AsRef<str>], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, widest) in cells.iter().zip(widths) {
        let cell = cell.as_ref();
        line.push_str(cell);
        line.push_str(&" ".repeat(widest.saturating_sub(width(cell)) + GAP));
    }
    line.truncate(line.trim_end().len());
    line
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

/// Columns that a character takes on a terminal, near enough for names: those of East Asia and pictures take two, marks on
/// other characters none.
fn columns(char: char) -> usize {
    match u32::from(char) {
        0x0300..=0x036F | 0x200B..=0x200F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}
