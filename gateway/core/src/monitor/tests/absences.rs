//! What a gateway that is away now and then can know of a monitor.

use super::*;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// A Monday, midnight by UTC.
const MONDAY: i64 = 1_790_553_600;

/// Plays runs to a gateway that is away between some moments, all of them in seconds after a Monday; tells when silence is
/// due after the last run, in the same. Before that nothing is told.
#[track_caller]
fn due(runs: impl IntoIterator<Item = i64>, absences: &[(i64, i64)]) -> Option<i64> {
    let mut tracked = Tracked::new(Policy::default());
    let at = |after: i64| second(MONDAY + after);
    let mut absences = absences.iter().copied().peekable();
    let mut last = 0;
    for run in runs {
        if absences.peek().is_some_and(|(from, until)| (*from..*until).contains(&run)) {
            continue;
        }
        while let Some((from, until)) = absences.next_if(|(_, until)| *until <= run) {
            tracked.watch.away(at(from), at(until));
        }
        assert_eq!(words(&tracked.tick(at(run))), "", "{} hours after the last run", (run - last) / HOUR);
        assert_eq!(words(&tracked.run(Verdict::Passed, at(run))), "");
        last = run;
    }
    absences.for_each(|(from, until)| tracked.watch.away(at(from), at(until)));
    tracked.due(at(last)).map(|due| due.as_unix_ms() / 1000 - MONDAY)
}

/// Days from Monday to Friday, at eight in the morning.
fn weekdays(days: std::ops::RangeInclusive<i64>) -> impl Iterator<Item = i64> {
    days.filter(|day| day % 7 < 5).map(|day| day * DAY + 8 * HOUR)
}

#[test]
fn a_run_that_was_missed_in_the_first_days_is_no_rest() {
    let missed = [(3 * DAY - 10 * MINUTE, 3 * DAY + 10 * MINUTE)];
    let stopped = 2 * DAY + 2 * WEEK;
    assert_eq!(due((0..=16).map(|day| day * DAY), &missed), Some(stopped + DAY + 2 * HOUR));
}

#[test]
fn of_two_weekends_that_were_half_heard_the_shorter_counts() {
    // The Monday behind the first, and the Friday before the second.
    let missed = [
        (WEEK + 6 * HOUR, WEEK + 11 * HOUR),
        (WEEK + 4 * DAY + 8 * HOUR - MINUTE, WEEK + 4 * DAY + 8 * HOUR + MINUTE),
    ];
    let monday = 3 * WEEK + 8 * HOUR;
    assert_eq!(due(weekdays(0..=18), &missed), Some(monday + 75 * MINUTE));
}

#[test]
fn a_weekend_that_nobody_heard_may_be_one_without_runs() {
    let runs = (0..12 * 96).filter(|run| run / 96 % 7 < 5).map(|run| run * 15 * MINUTE);
    let friday = 12 * DAY - 15 * MINUTE;
    assert_eq!(due(runs, &[(4 * DAY + 12 * HOUR, 7 * DAY + 8 * HOUR)]), Some(friday + 84 * HOUR));
}

#[test]
fn weekends_of_which_none_was_heard_as_a_whole_are_still_rests() {
    let missed = [
        (WEEK + 6 * HOUR, WEEK + 11 * HOUR),
        (WEEK + 2 * DAY + 12 * HOUR, WEEK + 4 * DAY + 14 * HOUR),
        (2 * WEEK + 4 * DAY + 8 * HOUR - MINUTE, 2 * WEEK + 4 * DAY + 8 * HOUR + MINUTE),
    ];
    let friday = 3 * WEEK + 4 * DAY + 8 * HOUR;
    assert!(due(weekdays(0..=25), &missed) > Some(friday + 3 * DAY));
}

#[test]
fn a_rest_that_begins_later_since_last_week_does_so_now() {
    // Hourly from eight to six, or seven in the last two weeks, Monday to Friday.
    let ends = |week: i64| if week == 0 { 18 } else { 19 };
    let hours =
        (0..3 * 7 * 24).filter(|hour| (8..=ends(hour / 168)).contains(&(hour % 24)) && hour / 24 % 7 < 5);
    let stopped = 2 * WEEK + 3 * DAY + 17 * HOUR;
    let runs = hours.map(|hour| hour * HOUR).take_while(|run| *run <= stopped);
    assert_eq!(due(runs, &[]), Some(stopped + 100 * MINUTE));
}

#[test]
fn jitter_and_clocks_together_may_move_a_run_into_an_absence() {
    let runs = [11 * HOUR + 4 * MINUTE, WEEK + 11 * HOUR + MINUTE, 2 * WEEK + 11 * HOUR + 5 * MINUTE];
    let missed = [(3 * WEEK + 9 * HOUR + 35 * MINUTE, 3 * WEEK + 10 * HOUR + 3 * MINUTE)];
    assert!(due(runs, &missed) > Some(4 * WEEK + 11 * HOUR));
}
