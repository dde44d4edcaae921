use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    timestamp(text.parse().unwrap())
}

fn shown(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.as_unix_ms()).unwrap().to_string()
}

/// `windows` are divided by `;`. The answer is "open", "open until …" or "closed until …", in UTC.
#[track_caller]
fn check(windows: &str, time_zone: &str, now: &str, expected: &str) {
    let windows: Vec<&str> = windows.split(';').collect();
    let answer = match Schedule::parse(&windows, time_zone).unwrap().open_at(at(now)) {
        Ok(None) => "open".to_owned(),
        Ok(Some(closes)) => format!("open until {}", shown(closes)),
        Err(opens) => format!("closed until {}", shown(opens)),
    };
    assert_eq!(answer, expected);
}

#[track_caller]
fn check_error(windows: &[&str], time_zone: &str, message: &str) {
    assert_eq!(Schedule::parse(windows, time_zone).unwrap_err().to_string(), message);
}

// 2026-11-16 is a Monday.

#[test]
fn office_hours() {
    let office = "mon-fri 08:00-18:00";
    check(office, "UTC", "2026-11-16T07:59:59.999Z", "closed until 2026-11-16T08:00:00Z");
    check(office, "UTC", "2026-11-16T08:00:00Z", "open until 2026-11-16T18:00:00Z");
    check(office, "UTC", "2026-11-16T18:00:00Z", "closed until 2026-11-17T08:00:00Z");
    check(office, "UTC", "2026-11-20T20:00:00Z", "closed until 2026-11-23T08:00:00Z");
}

#[test]
fn a_time_zone_moves_the_window() {
    check("mon 08:00-18:00", "Europe/Berlin", "2026-11-16T06:30:00Z", "closed until 2026-11-16T07:00:00Z");
    check("mon 08:00-18:00", "Asia/Tokyo", "2026-11-15T23:30:00Z", "open until 2026-11-16T09:00:00Z");
    check("sun 00:00-24:00", "Pacific/Kiritimati", "2026-11-14T10:00:00Z", "open until 2026-11-15T10:00:00Z");
}

#[test]
fn a_window_over_midnight_belongs_to_the_day_on_which_it_begins() {
    check("22:00-06:00", "UTC", "2026-11-16T03:00:00Z", "open until 2026-11-16T06:00:00Z");
    check("fri 22:00-06:00", "UTC", "2026-11-21T03:00:00Z", "open until 2026-11-21T06:00:00Z");
    check("fri 22:00-06:00", "UTC", "2026-11-20T03:00:00Z", "closed until 2026-11-20T22:00:00Z");
}

#[test]
fn windows_that_meet_or_overlap_are_one() {
    check("sat,sun 00:00-24:00", "UTC", "2026-11-21T12:00:00Z", "open until 2026-11-23T00:00:00Z");
    check("08:00-12:00;11:00-13:00", "UTC", "2026-11-16T09:00:00Z", "open until 2026-11-16T13:00:00Z");
    check("08:00-18:00;09:00-10:00", "UTC", "2026-11-16T09:30:00Z", "open until 2026-11-16T18:00:00Z");
}

#[test]
fn days_may_go_over_the_end_of_the_week() {
    check("sat-mon 00:00-24:00", "UTC", "2026-11-16T12:00:00Z", "open until 2026-11-17T00:00:00Z");
    check("sat-mon 00:00-24:00", "UTC", "2026-11-17T12:00:00Z", "closed until 2026-11-21T00:00:00Z");
}

#[test]
fn what_is_open_all_week_never_closes() {
    check("00:00-24:00", "UTC", "2026-11-16T12:00:00Z", "open");
    check("mon-sun 00:00-12:00;12:00-24:00", "Europe/Berlin", "2026-10-24T12:00:00Z", "open");
}

#[test]
fn summer_time_moves_the_window_in_utc() {
    let office = "08:00-18:00";
    check(office, "Europe/Berlin", "2026-03-28T20:00:00Z", "closed until 2026-03-29T06:00:00Z");
    check(office, "Europe/Berlin", "2026-10-24T20:00:00Z", "closed until 2026-10-25T07:00:00Z");
}

#[test]
fn a_moment_that_the_clocks_skip_counts_as_just_as_much_later() {
    // In Berlin, 02:00 becomes 03:00 on 2026-03-29, at 01:00 UTC.
    check("sun 02:30-04:00", "Europe/Berlin", "2026-03-29T00:59:00Z", "closed until 2026-03-29T01:30:00Z");
    check("sun 02:00-03:00", "Europe/Berlin", "2026-03-28T12:00:00Z", "closed until 2026-04-05T00:00:00Z");
}

#[test]
fn an_hour_that_comes_twice_is_open_twice() {
    // In Berlin, 03:00 becomes 02:00 on 2026-10-25, at 01:00 UTC.
    check("sun 02:00-02:30", "Europe/Berlin", "2026-10-25T00:10:00Z", "open until 2026-10-25T01:30:00Z");
    check("sun 01:00-02:30", "Europe/Berlin", "2026-10-25T01:10:00Z", "open until 2026-10-25T01:30:00Z");
}

#[test]
fn a_fault_names_the_part_that_is_wrong() {
    check_error(&[], "UTC", "a schedule without windows is never open: name one, or leave the schedule out");
    let not_a_window = "is not a window: write days and times, such as `mon-fri 08:00-18:00`";
    check_error(&[""], "UTC", &format!("`` {not_a_window}"));
    check_error(&["mon-fri 08:00 - 18:00"], "UTC", &format!("`mon-fri 08:00 - 18:00` {not_a_window}"));
    check_error(&["mon 0800"], "UTC", &format!("`mon 0800` {not_a_window}"));
    for days in ["mon-fri", "sat,sun"] {
        let no_hours = "has days and no hours: write them behind, as in";
        let message = format!("`{days}` {no_hours} `{days} 08:00-18:00`, or 00:00-24:00 for the whole day");
        check_error(&[days], "UTC", &message);
    }
    let not_a_day = "is not a day: write mon, tue, wed, thu, fri, sat or sun";
    check_error(&["mon-fry 08:00-18:00"], "UTC", &format!("`fry` in `mon-fry 08:00-18:00` {not_a_day}"));
    check_error(&["mon, 08:00-18:00"], "UTC", &format!("`` in `mon, 08:00-18:00` {not_a_day}"));
    let not_a_time = "is not a time of day: write hours and minutes, 00:00 to 24:00";
    for time in ["25:00", "24:01", "08:60", "8", "-1:00", "+8:00", "08:000", "٠٨:٠٠"] {
        let window = format!("mon 00:00-{time}");
        check_error(&[&window], "UTC", &format!("`{time}` in `{window}` {not_a_time}"));
    }
    let no_length = "ends when it begins: for a whole day write 00:00-24:00";
    check_error(&["08:00-08:00"], "UTC", &format!("`08:00-08:00` {no_length}"));
    check_error(&["24:00-08:00"], "UTC", &format!("`24:00-08:00` {no_length}"));
    check_error(
        &["08:00-18:00"],
        "Europe/Berlim",
        "`Europe/Berlim` is not a time zone: write an IANA name, such as Europe/Berlin or UTC",
    );
    check_error(&["08:00-18:00"; 65], "UTC", "65 windows are too many, the most are 64");
}

#[test]
fn moments_outside_the_calendar_do_no_harm() {
    let schedule = Schedule::parse(&["mon-fri 08:00-18:00"], "America/New_York").unwrap();
    for ms in [i64::MIN, i64::MAX, 253_402_207_200_000, -377_705_023_201_000] {
        let _either = schedule.open_at(Timestamp::from_unix_ms(ms));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(window in "[a-z0-9:, -]{0,24}", time_zone in "[A-Za-z/]{0,16}") {
        let _either = Schedule::parse(&[&window], &time_zone);
        let _either = Schedule::parse(&[&window], "UTC");
    }

    /// The state changes at the moment that was named, and not before it.
    #[test]
    fn the_named_moment_is_the_next_change(
        start in 0u32..1440, length in 1u32..1440, days in prop_oneof![Just("mon"), Just("mon-fri"), Just("sat,sun"), Just("mon-sun")],
        zone in prop_oneof![Just("UTC"), Just("Europe/Berlin"), Just("America/St_Johns"), Just("Australia/Lord_Howe")],
        now_s in 1_700_000_000i64..1_900_000_000, part in 0.0f64..1.0,
    ) {
        let end = (start + length) % 1440;
        let window = format!("{days} {:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60);
        let schedule = Schedule::parse(&[&window], zone).unwrap();
        let now = Timestamp::from_unix_ms(now_s * 1000);
        let (open, change) = match schedule.open_at(now) {
            Ok(None) => return Ok(()),
            Ok(Some(closes)) => (true, closes),
            Err(opens) => (false, opens),
        };
        prop_assert!(change > now);
        let last = Timestamp::from_unix_ms(change.as_unix_ms() - 1);
        let between = now.plus(now.until(last).mul_f64(part));
        prop_assert_eq!(schedule.open_at(between).is_ok(), open);
        prop_assert_ne!(schedule.open_at(change).is_ok(), open);
    }
}
