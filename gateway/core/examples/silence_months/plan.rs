//! When the runs of a monitor are to come.

use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};

pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;
pub(super) const WEEK: i64 = 7 * DAY;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Plan {
    /// Every so many seconds, day and night.
    Every(i64),
    /// Every so many seconds from Monday to Friday.
    WeekdaysEvery(i64),
    /// At an hour of local time.
    Daily(i8),
    /// At an hour of local time, Monday to Friday.
    Weekdays(i8),
    /// Hourly in office hours of local time, Monday to Friday.
    Office,
    /// At an hour of local time, on one day, Monday first.
    Weekly(i8, i8),
}

/// How many of a thousand there are of each.
pub(super) const PLANS: [(usize, Plan); 10] = [
    (30, Plan::Every(5 * MINUTE)),
    (100, Plan::Every(15 * MINUTE)),
    (200, Plan::Every(HOUR)),
    (50, Plan::Every(6 * HOUR)),
    (20, Plan::WeekdaysEvery(15 * MINUTE)),
    (150, Plan::Daily(2)),
    (100, Plan::Daily(9)),
    (150, Plan::Weekdays(8)),
    (100, Plan::Office),
    (100, Plan::Weekly(1, 7)),
];

impl Plan {
    /// Its times from `start` until `end`, in seconds, and how much later a run may come.
    pub(super) fn times(self, zone: &TimeZone, start: i64, end: i64, phase: i64) -> (Vec<i64>, i64) {
        let day_of = |at: i64| zone.to_datetime(at_second(at)).date();
        let on = |date: Date, hour: i8| {
            let at = zone.to_timestamp(date.at(hour, 0, 0, 0)).expect("the date is within the calendar");
            at.as_second() + phase % (10 * MINUTE)
        };
        let dates = || (0..).map_while(|days: i64| day_of(start).checked_add(days.days()).ok());
        let dates = || dates().take_while(|date| on(*date, 0) < end);
        let weekday = |date: &Date| date.weekday().to_monday_zero_offset();
        let every =
            |step: i64| (0..).map(move |n| start + phase % step + n * step).take_while(move |at| *at < end);
        let times: Vec<i64> = match self {
            Self::Every(step) => every(step).collect(),
            Self::WeekdaysEvery(step) => every(step).filter(|at| weekday(&day_of(*at)) < 5).collect(),
            Self::Daily(hour) => dates().map(|date| on(date, hour)).collect(),
            Self::Weekdays(hour) => {
                dates().filter(|date| weekday(date) < 5).map(|date| on(date, hour)).collect()
            }
            Self::Office => dates()
                .filter(|date| weekday(date) < 5)
                .flat_map(|date| (8..=18).map(move |hour| (date, hour)))
                .map(|(date, hour)| on(date, hour))
                .collect(),
            Self::Weekly(day, hour) => {
                dates().filter(|date| weekday(date) == day).map(|date| on(date, hour)).collect()
            }
        };
        let jitter = match self {
            Self::Every(step) | Self::WeekdaysEvery(step) => (step / 15).min(3 * MINUTE),
            _ => 5 * MINUTE,
        };
        (times, jitter)
    }

    /// For how long it must have run to be known; `None` for one that a month is too short for.
    pub(super) fn known_after(self) -> Option<i64> {
        match self {
            Self::Every(_) => Some(WEEK + DAY),
            Self::Weekly(..) => None,
            _ => Some(15 * DAY + 3 * HOUR),
        }
    }
}

pub(super) fn at_second(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("the second is within the calendar")
}
