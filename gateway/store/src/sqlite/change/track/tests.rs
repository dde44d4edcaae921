//! Which runs lie together.

use postroom_core::event::Verdict;

use super::*;
use crate::testing::monitors::run_at;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// `expected` are the lengths of the chunks and how many runs are left.
#[track_caller]
fn check(times: impl IntoIterator<Item = i64>, expected: (&[usize], usize)) {
    let runs: Vec<Run> = (0..).zip(times).map(|(n, ms)| run_at(n, ms, Verdict::Passed)).collect();
    let (mut rest, mut lengths) = (&runs[..], Vec::new());
    while let Some((chunk, behind)) = first_chunk(rest) {
        lengths.push(chunk.len());
        rest = behind;
    }
    assert_eq!((&lengths[..], rest.len()), expected);
}

#[test]
fn a_chunk_is_full_or_ends_before_a_pause() {
    let minutes = |from: i64, count: i64| (0..count).map(move |n| from + n * 60_000);
    check([], (&[], 0));
    check(minutes(0, 63), (&[], 63));
    check(minutes(0, 64), (&[64], 0));
    check(minutes(0, 130), (&[64, 64], 2));
    // A monitor that was off for a month: no chunk covers that.
    check(minutes(0, 10).chain(minutes(30 * DAY, 64)), (&[10, 64], 0));
    check(minutes(0, 64).chain(minutes(30 * DAY, 3)), (&[64], 3));
    // The clock was set back.
    check(minutes(9 * DAY, 10).chain(minutes(0, 5)), (&[10], 5));
    check([0, DAY, DAY + 1, 2 * DAY + 1, 3 * DAY + 2], (&[2, 2], 1));
}
