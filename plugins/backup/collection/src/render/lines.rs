//! What differs between two lists of lines.

use super::{Line, cut};

/// Beyond so many pairs of lines the whole is shown as replaced.
const PAIRS_MAX: usize = 1_000_000;

/// The lines that are gone and that have come, in order, without those that stay.
pub(super) fn differences(before: &[String], after: &[String]) -> Vec<Line> {
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[start..], &after[start..]);
    let end = before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
    let (before, after) = (&before[..before.len() - end], &after[..after.len() - end]);
    let gone = |line: &String| Line::Gone(cut(line));
    let come = |line: &String| Line::Come(cut(line));
    if before.len().saturating_mul(after.len()) > PAIRS_MAX {
        return before.iter().map(gone).chain(after.iter().map(come)).collect();
    }

    // `common[i][j]` is how many lines the rests from i and j on can have in common.
    let width = after.len() + 1;
    let mut common = vec![0_u32; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            common[i * width + j] = if before[i] == after[j] {
                common[(i + 1) * width + j + 1] + 1
            } else {
                common[(i + 1) * width + j].max(common[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == after.len()
            || i < before.len() && common[(i + 1) * width + j] >= common[i * width + j + 1]
        {
            lines.push(gone(&before[i]));
            i += 1;
        } else {
            lines.push(come(&after[j]));
            j += 1;
        }
    }
    lines
}
