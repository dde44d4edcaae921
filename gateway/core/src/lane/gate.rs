//! Whether a destination may start something: all reasons against it, in one place.
//!
//! A person's hold, the schedule, a pause that an outcome asked for, the breaker, the rate limit and the concurrency
//! each say no for themselves; a delivery starts when none does.
//!
//! The breaker opens after [`limits::BREAKER_FAILURES`] *different* deliveries failed with no success in between. One
//! delivery that fails for ever counts once, so it cannot close the destination for the others, and few lanes need no
//! breaker: each waits longer after every failure anyway.

use std::time::Duration;

use super::{Bounds, GateState, LaneSettings};
use crate::{id::DeliveryId, limits, rate::RateLimit, time::Timestamp};

#[derive(Debug)]
pub(super) struct Gate {
    concurrency: u32,
    bounds: Bounds,
    starts_per_second: Option<u32>,
    rate: Option<RateLimit>,
    /// When the rate limit lets the next one through, as far as it has said.
    permit_at: Timestamp,
    /// A person holds it.
    held: bool,
    /// The schedule closes it.
    closed_until: Option<Timestamp>,
    course: Course,
    /// Deliveries that failed since the last success.
    failed: Vec<DeliveryId>,
    /// The breaker's last wait; zero since the last success.
    wait: Duration,
}

/// Deliveries of a destination that were started and are not settled.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Unsettled {
    pub(super) in_flight: u32,
    /// Their attempts have ended, and their outcomes are being recorded.
    pub(super) unrecorded: u32,
    /// What those outcomes take.
    pub(super) unrecorded_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Course {
    Free,
    Waiting {
        until: Timestamp,
        cause: Cause,
    },
    /// The wait is over: one delivery at a time until one gets through.
    Probing {
        cause: Cause,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The remote side asked for it.
    Pause,
    /// The settings do not work.
    Settings,
    Breaker,
}

impl Gate {
    pub(super) fn new(settings: &LaneSettings, bounds: Bounds) -> Self {
        Self {
            concurrency: settings.concurrency.max(1),
            bounds,
            starts_per_second: settings.starts_per_second,
            rate: settings.starts_per_second.map(RateLimit::per_second),
            permit_at: Timestamp::EPOCH,
            held: false,
            closed_until: None,
            course: Course::Free,
            failed: Vec::new(),
            wait: Duration::ZERO,
        }
    }

    /// Goes on with other settings. Pauses, the breaker and what the rate limit has counted stand.
    pub(super) fn change(&mut self, settings: &LaneSettings) {
        self.concurrency = settings.concurrency.max(1);
        if self.starts_per_second != settings.starts_per_second {
            self.starts_per_second = settings.starts_per_second;
            self.rate = settings.starts_per_second.map(RateLimit::per_second);
            self.permit_at = Timestamp::EPOCH;
        }
    }

    /// Takes leave to start one more beside those.
    pub(super) fn admit(&mut self, now: Timestamp, beside: Unsettled) -> bool {
        self.pass_time(now);
        let waits = matches!(self.course, Course::Waiting { .. });
        if self.held || self.closed_until.is_some() || waits || !self.has_room(beside) {
            return false;
        }
        match self.rate.as_mut().map_or(Ok(()), |rate| rate.take(now)) {
            Ok(()) => true,
            Err(wait) => {
                // In whole milliseconds, upwards: a wake-up before the permit would be in vain.
                self.permit_at = now.plus(wait + Duration::from_micros(999));
                false
            }
        }
    }

    fn pass_time(&mut self, now: Timestamp) {
        self.closed_until = self.closed_until.filter(|until| *until > now);
        if let Course::Waiting { until, cause } = self.course
            && until <= now
        {
            self.course = Course::Probing { cause };
        }
    }

    fn has_room(&self, beside: Unsettled) -> bool {
        let Unsettled { in_flight, unrecorded, unrecorded_bytes } = beside;
        match self.course {
            Course::Free => {
                in_flight < self.concurrency
                    && unrecorded < self.bounds.unrecorded
                    && unrecorded_bytes < self.bounds.unrecorded_bytes
            }
            Course::Waiting { .. } | Course::Probing { .. } => in_flight == 0 && unrecorded == 0,
        }
    }

    /// The first moment at which one more may start beside those; `None` when time alone changes nothing.
    pub(super) fn opens_at(&self, beside: Unsettled) -> Option<Timestamp> {
        if self.held || !self.has_room(beside) {
            return None;
        }
        let waits_until = match self.course {
            Course::Waiting { until, .. } => until,
            Course::Free | Course::Probing { .. } => Timestamp::EPOCH,
        };
        Some(waits_until.max(self.closed_until.unwrap_or(Timestamp::EPOCH)).max(self.permit_at))
    }

    pub(super) fn pause(&mut self, until: Timestamp) -> bool {
        self.wait_until(until, Cause::Pause)
    }

    pub(super) fn pause_until_mended(&mut self, until: Timestamp) -> bool {
        self.wait_until(until, Cause::Settings)
    }

    /// Ends a pause because of settings, and no other.
    pub(super) fn mended(&mut self) {
        if let Course::Waiting { cause: cause @ Cause::Settings, .. } = self.course {
            self.course = Course::Probing { cause };
        }
    }

    fn wait_until(&mut self, until: Timestamp, cause: Cause) -> bool {
        // Several deliveries in flight may ask for a pause. Who asked for the longest knows best.
        let counts = !matches!(self.course, Course::Waiting { until: standing, .. } if standing >= until);
        if counts {
            self.course = Course::Waiting { until, cause };
        }
        counts
    }

    pub(super) fn hold(&mut self, held: bool) {
        self.held = held;
        if let Course::Waiting { cause, .. } = self.course
            && !held
        {
            self.course = Course::Probing { cause };
        }
    }

    pub(super) fn undo_hold(&mut self) {
        self.held = false;
    }

    pub(super) fn close_until(&mut self, until: Option<Timestamp>) {
        self.closed_until = until;
    }

    pub(super) fn failed(&mut self, id: DeliveryId, now: Timestamp) -> Option<Timestamp> {
        match self.course {
            // It was on its way before the wait began and says nothing new.
            Course::Waiting { .. } => return None,
            Course::Probing { .. } => {}
            Course::Free => {
                if !self.failed.contains(&id) {
                    self.failed.push(id);
                }
                if self.failed.len() < limits::BREAKER_FAILURES {
                    return None;
                }
            }
        }
        self.wait = (self.wait * 2).clamp(limits::BREAKER_WAIT, limits::BREAKER_WAIT_MAX);
        let until = now.plus(self.wait);
        self.course = Course::Waiting { until, cause: Cause::Breaker };
        Some(until)
    }

    /// The remote side has answered. Gives whether that ended a pause or the breaker.
    pub(super) fn reached(&mut self) -> bool {
        self.failed.clear();
        match self.course {
            Course::Free => false,
            // The remote side asked for the pause, or the settings are wrong: what was on its way before proves nothing.
            Course::Waiting { cause: Cause::Pause | Cause::Settings, .. } => false,
            Course::Waiting { cause: Cause::Breaker, .. } | Course::Probing { .. } => {
                self.course = Course::Free;
                self.wait = Duration::ZERO;
                true
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state() == GateState::Open
    }

    pub(super) fn state(&self) -> GateState {
        match self.course {
            _ if self.held => GateState::Held,
            _ if self.closed_until.is_some() => GateState::Closed,
            Course::Free => GateState::Open,
            Course::Waiting { cause, .. } | Course::Probing { cause } => match cause {
                Cause::Pause | Cause::Settings => GateState::Paused,
                Cause::Breaker => GateState::Breaker,
            },
        }
    }

    pub(super) fn paused_until(&self) -> Option<Timestamp> {
        let pause = match self.course {
            Course::Waiting { until, .. } => Some(until),
            Course::Free | Course::Probing { .. } => None,
        };
        pause.max(self.closed_until)
    }
}
