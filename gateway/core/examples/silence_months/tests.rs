use jiff::civil::date;

use super::*;

#[track_caller]
fn check(zone: &str, first: Date, seed: u64) {
    let month = month(zone, first, seed, World::Realistic, None);
    assert!(month.false_alarms.is_empty() && month.late.is_empty() && month.judged > 80, "{month:#?}");
}

#[test]
fn no_false_silence_and_every_true_one_in_a_month_in_which_clocks_are_set_back() {
    check("Europe/Berlin", date(2026, 10, 1), 1);
}

#[test]
fn no_false_silence_and_every_true_one_in_a_month_in_which_clocks_are_set_forward() {
    check("America/New_York", date(2027, 2, 20), 2);
}

#[test]
fn no_false_silence_and_every_true_one_south_of_the_equator() {
    check("Australia/Sydney", date(2026, 9, 15), 3);
}

#[test]
fn no_false_silence_in_a_harsh_month() {
    let month = month("Europe/Berlin", date(2026, 10, 1), 1, World::Harsh, None);
    assert!(month.false_alarms.is_empty(), "{month:#?}");
}
