//! When a destination may be used.

use postroom_core::schedule::Schedule;

use super::{faults::check_in_destination, good};

fn schedule_of(settings: &str) -> Option<Schedule> {
    let text = format!("[[destination]]\nname = \"a\"\nplugin = \"backup\"\n{settings}");
    good(&text).destinations.remove(0).schedule
}

#[test]
fn windows_are_read_in_their_time_zone() {
    let windows = ["mon-fri 08:00-18:00", "sat 10:00-14:00"];
    let setting = format!("schedule = {windows:?}");
    assert_eq!(schedule_of(&setting), Some(Schedule::parse(&windows, "UTC").unwrap()));
    let zoned = format!("{setting}\ntimezone = \"Europe/Berlin\"");
    assert_eq!(schedule_of(&zoned), Some(Schedule::parse(&windows, "Europe/Berlin").unwrap()));
    assert_ne!(schedule_of(&setting), schedule_of(&zoned));
    assert_eq!(schedule_of(""), None);
}

#[test]
fn a_schedule_that_cannot_be_meant_is_told_at_its_place() {
    check_in_destination("timezone = \"UTC\"", "timezone: a time zone without a schedule", "mon-fri");
    check_in_destination(
        "schedule = []",
        "schedule: a schedule without windows is never open: name one, or leave the schedule out",
        "",
    );
    check_in_destination(
        "schedule = [\"mon 08:00-18:00\", \"someday 08:00-18:00\"]",
        "schedule[1]: `someday` in `someday 08:00-18:00` is not a day: write mon, tue, wed, thu, fri, sat or sun",
        "",
    );
    check_in_destination(
        "schedule = [\"mon-fri\"]",
        "schedule[0]: `mon-fri` has days and no hours: write them behind, as in `mon-fri 08:00-18:00`, or 00:00-24:00 for \
         the whole day",
        "",
    );
    check_in_destination(
        "timezone = \"Europe/Berlín\"\nschedule = [\"08:00-18:00\"]",
        "timezone: `Europe/Berlín` is not a time zone: write an IANA name, such as Europe/Berlin or UTC",
        "",
    );
    let many = vec!["\"08:00-18:00\""; 65].join(", ");
    check_in_destination(
        &format!("schedule = [{many}]"),
        "schedule: 65 windows are too many, the most are 64",
        "",
    );
}
