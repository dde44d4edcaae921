//! Runs as compact bytes: what a monitor did in a year fits into a few megabytes.
//!
//! One byte says which version of the format follows. Then comes run after run: the 16 bytes of its event, how much
//! later than the run before it came, one byte with its verdict and which of its numbers were sent, and these numbers.
//! Whole numbers are written seven bits at a time, the lowest first; the eighth says whether more follow.

use super::{Numbers, Run};
use crate::{event::Verdict, id::EventId, time::Timestamp};

/// Runs that are kept together.
pub const RUNS_PER_CHUNK: usize = 64;

/// The version that is written. Older ones are read for as long as a store may hold them.
const VERSION: u8 = 1;
/// Bytes that a run takes at the least.
const RUN_BYTES_MIN: usize = 16 + 1 + 1;
/// Bytes of a whole number at the most: 64 bits, seven in each.
const VARINT_BYTES_MAX: usize = 10;
/// The bits of the byte with the verdict. Above them, a bit for each number that was sent.
const VERDICT_BITS: u8 = 2;

/// Why bytes are no runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A newer gateway wrote them, or they are something else.
    #[error("version {found} of the runs' format is not known")]
    Version {
        /// What they say.
        found: u8,
    },
    /// They end within a run.
    #[error("the runs are cut off")]
    CutOff,
    /// A value is none that is ever written.
    #[error("a run holds an impossible {what}")]
    Impossible {
        /// Which value.
        what: &'static str,
    },
}

/// Writes runs, in the order in which they are given.
#[must_use]
pub fn encode(runs: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1 + runs.len() * 2 * RUN_BYTES_MIN);
    bytes.push(VERSION);
    let mut before = 0;
    for Run { event, at, verdict, numbers } in runs {
        bytes.extend_from_slice(event.as_bytes());
        let at = at.as_unix_ms();
        // Clocks are set back at times.
        put(&mut bytes, zigzag(at.wrapping_sub(before)));
        before = at;
        let numbers = as_sent(numbers);
        let sent = (0..).zip(&numbers).filter(|(_, number)| number.is_some());
        let sent = sent.fold(0, |bits, (bit, _)| bits | 1 << bit);
        bytes.push(verdict_bits(*verdict) | sent << VERDICT_BITS);
        numbers.into_iter().flatten().for_each(|number| put(&mut bytes, number));
    }
    bytes
}

/// Reads runs back.
///
/// # Errors
/// When `bytes` are not what [`encode`] gives.
pub fn decode(bytes: &[u8]) -> Result<Vec<Run>, HistoryError> {
    let (&found, rest) = bytes.split_first().ok_or(HistoryError::CutOff)?;
    if found != VERSION {
        return Err(HistoryError::Version { found });
    }
    let mut rest = Rest(rest);
    let mut runs = Vec::with_capacity(rest.0.len() / RUN_BYTES_MIN);
    let mut before = 0_i64;
    while !rest.0.is_empty() {
        let event = EventId::from_bytes(rest.take()?);
        before = before.wrapping_add(unzigzag(rest.number()?));
        let [bits] = rest.take()?;
        let verdict = Verdict::ALL
            .into_iter()
            .find(|verdict| verdict_bits(*verdict) == bits & ((1 << VERDICT_BITS) - 1))
            .ok_or(HistoryError::Impossible { what: "verdict" })?;
        let mut sent = bits >> VERDICT_BITS;
        let mut next = || {
            let is_sent = sent & 1 == 1;
            sent >>= 1;
            if is_sent { rest.number().map(Some) } else { Ok(None) }
        };
        let numbers = Numbers {
            requests: small(next()?)?,
            latency_total_ms: next()?,
            passed_tests: small(next()?)?,
            failed_tests: small(next()?)?,
            errors: small(next()?)?,
            warnings: small(next()?)?,
        };
        runs.push(Run { event, at: Timestamp::from_unix_ms(before), verdict, numbers });
    }
    Ok(runs)
}

fn verdict_bits(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Passed => 0,
        Verdict::Failed => 1,
        Verdict::Unknown => 2,
    }
}

/// The numbers in the order in which they are written.
fn as_sent(numbers: &Numbers) -> [Option<u64>; 6] {
    let Numbers { requests, latency_total_ms, passed_tests, failed_tests, errors, warnings } = *numbers;
    let small = |number: Option<u32>| number.map(u64::from);
    [
        small(requests),
        latency_total_ms,
        small(passed_tests),
        small(failed_tests),
        small(errors),
        small(warnings),
    ]
}

fn small(number: Option<u64>) -> Result<Option<u32>, HistoryError> {
    number.map(u32::try_from).transpose().map_err(|_| HistoryError::Impossible { what: "number" })
}

/// Makes numbers near zero small, whichever side they are on.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Bytes that are still to be read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const BYTES: usize>(&mut self) -> Result<[u8; BYTES], HistoryError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(HistoryError::CutOff)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, HistoryError> {
        let mut number = 0;
        for seventh in 0..VARINT_BYTES_MAX {
            let [byte] = self.take()?;
            let bits = u64::from(byte & 0x7f);
            let shifted = bits << (7 * seventh);
            if shifted >> (7 * seventh) != bits {
                break;
            }
            number |= shifted;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(HistoryError::Impossible { what: "number" })
    }
}

#[cfg(test)]
mod tests;
