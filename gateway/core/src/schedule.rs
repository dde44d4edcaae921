//! When a destination may be used: weekly windows in a time zone.
//!
//! A window is written `mon-fri 08:00-18:00`, `sat,sun 00:00-24:00`, or `22:00-06:00` for every night: one that ends
//! before it begins goes over midnight and belongs to the day on which it begins.
//!
//! Where clocks are set forward, a moment that they skip counts as just as much later. Where they are set back, a
//! window that begins or ends in the hour that comes twice is open through both.

mod window;

use jiff::{
    SignedDuration, ToSpan, civil,
    tz::{TimeZone, TimeZoneDatabase},
};

use self::window::Window;
use crate::{limits, time::Timestamp};

/// Weekly windows in a time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    windows: Vec<Window>,
    time_zone: TimeZone,
}

/// What is wrong with a schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// It would never be open.
    #[error("a schedule without windows is never open: name one, or leave the schedule out")]
    Empty,
    /// It has more windows than [`limits::SCHEDULE_WINDOWS_MAX`].
    #[error("{windows} windows are too many, the most are {}", limits::SCHEDULE_WINDOWS_MAX)]
    TooMany {
        /// How many there are.
        windows: usize,
    },
    /// A window is not made of days and times.
    #[error("`{window}` is not a window: write days and times, such as `mon-fri 08:00-18:00`")]
    NotAWindow {
        /// The window.
        window: String,
    },
    /// A window has days and no hours.
    #[error(
        "`{window}` has days and no hours: write them behind, as in `{window} 08:00-18:00`, or 00:00-24:00 for the whole day"
    )]
    NoHours {
        /// The window.
        window: String,
    },
    /// A part of a window is no day.
    #[error("`{day}` in `{window}` is not a day: write mon, tue, wed, thu, fri, sat or sun")]
    NotADay {
        /// The window.
        window: String,
        /// The part.
        day: String,
    },
    /// A part of a window is no time of day.
    #[error("`{time}` in `{window}` is not a time of day: write hours and minutes, 00:00 to 24:00")]
    NotATime {
        /// The window.
        window: String,
        /// The part.
        time: String,
    },
    /// A window ends when it begins.
    #[error("`{window}` ends when it begins: for a whole day write 00:00-24:00")]
    NoLength {
        /// The window.
        window: String,
    },
    /// There is no such time zone.
    #[error("`{time_zone}` is not a time zone: write an IANA name, such as Europe/Berlin or UTC")]
    NotATimeZone {
        /// The name.
        time_zone: String,
    },
}

/// Days looked at: a window that falls into skipped hours is missing for a week, and the next is found all the same.
const DAYS_AHEAD: i64 = 16;
/// What is open for so long stays open.
const ALWAYS: SignedDuration = SignedDuration::from_hours(8 * 24);

impl Schedule {
    /// Reads windows and the IANA name of the time zone that they are in.
    ///
    /// # Errors
    /// The first part that is wrong.
    pub fn parse(windows: &[&str], time_zone: &str) -> Result<Self, ScheduleError> {
        match windows.len() {
            0 => return Err(ScheduleError::Empty),
            windows if windows > limits::SCHEDULE_WINDOWS_MAX => {
                return Err(ScheduleError::TooMany { windows });
            }
            _ => {}
        }
        let windows = windows.iter().map(|window| Window::parse(window)).collect::<Result<_, _>>()?;
        // Not the machine's own data, which a plugin that is built beside us may switch on: this crate opens no file.
        let time_zone = TimeZoneDatabase::bundled()
            .get(time_zone)
            .map_err(|_| ScheduleError::NotATimeZone { time_zone: time_zone.to_owned() })?;
        Ok(Self { windows, time_zone })
    }

    /// Whether it is open at `now`: then gives when it closes, or `None` if it never does.
    ///
    /// # Errors
    /// When it opens, if it is closed.
    pub fn open_at(&self, now: Timestamp) -> Result<Option<Timestamp>, Timestamp> {
        let at = jiff::Timestamp::from_millisecond(now.as_unix_ms()).unwrap_or(if now < Timestamp::EPOCH {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        let mut closes = None;
        for (start, end) in self.openings(at) {
            match closes {
                None if at < start => return Err(timestamp(start)),
                None if at < end => closes = Some(end),
                Some(until) if start > until => break,
                Some(until) => closes = Some(until.max(end)),
                None => {}
            }
        }
        match closes {
            Some(until) if at.duration_until(until) > ALWAYS => Ok(None),
            Some(until) => Ok(Some(timestamp(until))),
            // Every window of two weeks fell into skipped hours, or time itself ends.
            None => Err(now.plus(std::time::Duration::from_secs(24 * 60 * 60))),
        }
    }

    /// The openings from the day before on, by their start.
    fn openings(&self, at: jiff::Timestamp) -> Vec<(jiff::Timestamp, jiff::Timestamp)> {
        let today = self.time_zone.to_datetime(at).date();
        let days = (-1..DAYS_AHEAD).filter_map(|offset| today.checked_add(offset.days()).ok());
        let mut openings: Vec<_> = days
            .flat_map(|day| self.windows.iter().filter_map(move |window| self.opening(window, day)))
            .filter(|(start, end)| start < end)
            .collect();
        openings.sort_unstable();
        openings
    }

    fn opening(&self, window: &Window, day: civil::Date) -> Option<(jiff::Timestamp, jiff::Timestamp)> {
        let (start, end) = window.on(day)?;
        let start = self.time_zone.to_ambiguous_timestamp(start).compatible().ok()?;
        let end = self.time_zone.to_ambiguous_timestamp(end).later().ok()?;
        Some((start, end))
    }
}

fn timestamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix_ms(at.as_millisecond())
}

#[cfg(test)]
mod tests;
