//! One run of a monitor, in numbers.

use std::io;

use crate::{classify, event::Verdict, id::EventId, time::Timestamp};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The event that told of it.
    pub event: EventId,
    /// When that was accepted; Postman sends no time.
    pub at: Timestamp,
    /// What it says about the monitored API.
    pub verdict: Verdict,
    /// What it counted.
    pub numbers: Numbers,
}

/// What a run counted. A number that was not sent, or is none, is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Requests made.
    pub requests: Option<u32>,
    /// Milliseconds over all requests.
    pub latency_total_ms: Option<u64>,
    /// Tests that passed.
    pub passed_tests: Option<u32>,
    /// Tests that failed.
    pub failed_tests: Option<u32>,
    /// Requests and scripts that could not run.
    pub errors: Option<u32>,
    /// Warnings.
    pub warnings: Option<u32>,
}

/// Points to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunRef {
    /// The event that told of it.
    pub event: EventId,
    /// When that was accepted.
    pub at: Timestamp,
}

impl Run {
    /// Whether it made no request: it was aborted, or its collection is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.requests == Some(0)
    }

    /// Points to it.
    #[must_use]
    pub fn reference(&self) -> RunRef {
        RunRef { event: self.event, at: self.at }
    }
}

impl Numbers {
    /// Reads the numbers of a run out of its body, in either spelling, also where they are written as strings.
    ///
    /// Never fails: what is no number is absent, and one that is too large is the largest.
    #[must_use]
    pub fn read(body: &[u8]) -> Self {
        classify::numbers(body)
    }

    /// Like [`Numbers::read`], of a body that is too large for memory.
    ///
    /// # Errors
    /// When `body` cannot be read.
    pub fn read_from(body: impl io::Read) -> io::Result<Self> {
        classify::numbers_reader(body)
    }

    /// Milliseconds that a request took on the average.
    #[must_use]
    pub fn latency_mean_ms(&self) -> Option<f64> {
        let requests = self.requests.filter(|requests| *requests > 0)?;
        Some(self.latency_total_ms? as f64 / f64::from(requests))
    }

    /// Which share of the tests failed, 0 to 1; absent without tests.
    #[must_use]
    pub fn failed_share(&self) -> Option<f64> {
        let failed = f64::from(self.failed_tests?);
        let tests = failed + f64::from(self.passed_tests?);
        (tests > 0.0).then(|| failed / tests)
    }
}
