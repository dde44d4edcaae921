//! Until when a silence must have been told.

use super::plan::{HOUR, MINUTE};

/// What may be between the end of a rest and the word that a run is missing.
const REST_TOLD: i64 = 85 * MINUTE;
/// How far clocks that are set move a run.
const CLOCKS: i64 = 65 * MINUTE;

/// Until when silence must be told of a monitor with runs at `times`, of which those from number `running` on do not come,
/// and those from number `heard` on were not heard.
/// `clocks_set` says how far the clocks were set forward and back within two weeks before.
pub(super) fn deadline(
    times: &[i64],
    heard: usize,
    running: usize,
    jitter: i64,
    absences: &[(i64, i64)],
    clocks_set: impl Fn(i64) -> (i64, i64),
) -> i64 {
    let gap = |number: usize| times[number] - times[number - 1];
    let usual = (1..times.len()).map(gap).min().expect("it ran more than once");
    let rests = |number: usize| gap(number) > usual + usual / 2 + CLOCKS;
    let back = |from: i64, until: i64| {
        let away = absences.iter().rfind(|(away, back)| *away < until && *back > from);
        away.map(|(_, back)| *back)
    };
    let back_from = |number: usize| {
        let at = times[number];
        let near = 5 * jitter + MINUTE;
        if gap(number) < 2 * HOUR {
            return back(at - near, at + near);
        }
        let (forward, backward) = clocks_set(at);
        back(at - near - HOUR - backward, at + near + HOUR + forward)
    };
    let first =
        (running..).find(|number| back_from(*number).is_none()).expect("the gateway listens in the end");
    let due = times[first];
    let mut until = times[first + 1];
    // It has lost count, or cannot tell when the runs behind the rest are due: it listens for an interval first.
    let listens = |number: usize, back: i64| {
        let ended = if rests(number) { times[number] + CLOCKS + clocks_set(times[number]).0 } else { 0 };
        // Again, if it is away meanwhile.
        let heard_from = |back, (away, again): &(i64, i64)| {
            if *again > back && *away < back + usual + jitter { *again } else { back }
        };
        ended.max(absences.iter().fold(back, heard_from) + usual) + usual
    };
    for number in heard..first {
        if let Some(back) = back_from(number).filter(|_| rests(number) || first - heard > 5) {
            until = until.max(listens(number, back));
        }
    }
    // The rest that ends about now, and the one that begins.
    for number in first.saturating_sub(1)..times.len() - 1 {
        let (began, ended) = (times[number - 1], times[number]);
        if rests(number) && (began <= due + CLOCKS && due <= ended + CLOCKS) {
            until = until.max(ended + REST_TOLD + clocks_set(ended).0);
            until = until.max(back_from(number).map_or(0, |back| listens(number, back)));
        }
        if began > due + CLOCKS {
            break;
        }
    }
    for (away, back) in absences {
        if *away < until && *back > due {
            until += back - away.max(&due);
        }
    }
    until
}
