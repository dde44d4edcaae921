//! One window: on which days, from when to when.

use jiff::{ToSpan, civil};

use super::ScheduleError;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY_MINUTES: i64 = 24 * 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    /// Whether it begins on that day of the week, Monday first.
    days: [bool; 7],
    /// Minutes after midnight.
    start: i64,
    /// Minutes after the same midnight; over 24 hours when it goes over the next.
    end: i64,
}

impl Window {
    pub(super) fn parse(text: &str) -> Result<Self, ScheduleError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times) = match words[..] {
            [days, times] => (Self::days(text, days)?, times),
            [days] if Self::days(text, days).is_ok() => {
                return Err(ScheduleError::NoHours { window: text.to_owned() });
            }
            [times] => ([true; 7], times),
            _ => return Err(ScheduleError::NotAWindow { window: text.to_owned() }),
        };
        let Some((start, end)) = times.split_once('-') else {
            return Err(ScheduleError::NotAWindow { window: text.to_owned() });
        };
        let time = |time: &str| {
            minutes(time)
                .ok_or_else(|| ScheduleError::NotATime { window: text.to_owned(), time: time.to_owned() })
        };
        let (start, end) = (time(start)?, time(end)?);
        if start == end || start == DAY_MINUTES {
            return Err(ScheduleError::NoLength { window: text.to_owned() });
        }
        Ok(Self { days, start, end: if end < start { end + DAY_MINUTES } else { end } })
    }

    fn days(window: &str, text: &str) -> Result<[bool; 7], ScheduleError> {
        let number = |day: &str| {
            DAYS.iter()
                .position(|name| day.eq_ignore_ascii_case(name))
                .ok_or_else(|| ScheduleError::NotADay { window: window.to_owned(), day: day.to_owned() })
        };
        let mut days = [false; 7];
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            // From Saturday to Monday goes over Sunday.
            let count = (last + 7 - first) % 7 + 1;
            (first..first + count).for_each(|day| days[day % 7] = true);
        }
        Ok(days)
    }

    /// When it begins and ends by the clocks, if it begins on `day`.
    pub(super) fn on(&self, day: civil::Date) -> Option<(civil::DateTime, civil::DateTime)> {
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
        let midnight = day.to_datetime(civil::Time::midnight());
        let at = |minutes: i64| midnight.checked_add(minutes.minutes()).ok();
        if self.days[weekday] { at(self.start).zip(at(self.end)) } else { None }
    }
}

/// `08:30` as minutes after midnight.
fn minutes(time: &str) -> Option<i64> {
    let (hours, minutes) = time.split_once(':')?;
    let number = |text: &str| match text.as_bytes() {
        [b'0'..=b'9'] | [b'0'..=b'9', b'0'..=b'9'] => text.parse::<i64>().ok(),
        _ => None,
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    Some(hours * 60 + minutes).filter(|minutes| *minutes <= DAY_MINUTES)
}
