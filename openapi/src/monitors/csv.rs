//! Runs as CSV (RFC 4180): a header row, lines that end in CRLF, and nothing that a spreadsheet would run.

use std::io;

use futures_util::{StreamExt as _, future, stream};
use poem::Body;

use super::runs::{MonitorRun, RunBucket, RunStream};
use crate::events::Verdict;

const RUN_HEADER: &str = "at,verdict,requests,latency_mean_ms,latency_total_ms,passed_tests,failed_tests,errors,warnings,\
                          event_id,monitor_uid,monitor_name";
const BUCKET_HEADER: &str = "start,runs,passed,failed,unknown,availability,latency_mean_ms,latency_p50_ms,\
                             latency_p95_ms,requests,failed_tests,errors,monitor_uid,monitor_name";
const END: &str = "\r\n";
/// What some spreadsheet ends a cell at.
const SEPARATORS: [char; 5] = [',', ';', '\t', '\r', '\n'];

/// The file of these runs, written as they are read. A failure breaks it off in the middle of a line, which a reader
/// notices, as by the length of the answer.
pub(super) fn runs(uid: &str, runs: RunStream) -> Body {
    let RunStream { name, pieces } = runs;
    let monitor = monitor(uid, name.as_deref());
    let header = stream::once(future::ready(Ok(format!("{RUN_HEADER}{END}"))));
    let lines = pieces.map(move |piece| {
        let piece = piece.map_err(|error| io::Error::other(error.to_string()))?;
        Ok::<_, io::Error>(piece.iter().map(|run| run_line(run, &monitor)).collect::<String>())
    });
    Body::from_bytes_stream(header.chain(lines))
}

/// The file of these sums.
pub(super) fn buckets(uid: &str, name: Option<&str>, buckets: &[RunBucket]) -> Body {
    let monitor = monitor(uid, name);
    let lines = buckets.iter().map(|bucket| bucket_line(bucket, &monitor));
    Body::from_string(std::iter::once(format!("{BUCKET_HEADER}{END}")).chain(lines).collect())
}

/// The last two cells of every line.
fn monitor(uid: &str, name: Option<&str>) -> String {
    format!("{},{}", cell(uid), cell(name.unwrap_or_default()))
}

fn run_line(run: &MonitorRun, monitor: &str) -> String {
    let MonitorRun {
        at,
        event_id,
        verdict,
        requests,
        latency_mean_ms,
        latency_total_ms,
        passed_tests,
        failed_tests,
        errors,
        warnings,
    } = run;
    let verdict = match verdict {
        Verdict::Passed => "passed",
        Verdict::Failed => "failed",
        Verdict::Unknown => "unknown",
    };
    let [requests, latency_total_ms, passed_tests, failed_tests, errors, warnings] =
        [requests, latency_total_ms, passed_tests, failed_tests, errors, warnings]
            .map(|count| number(*count));
    let mean = number(*latency_mean_ms);
    format!(
        "{at},{verdict},{requests},{mean},{latency_total_ms},{passed_tests},{failed_tests},{errors},{warnings},\
         {event_id},{monitor}{END}"
    )
}

fn bucket_line(bucket: &RunBucket, monitor: &str) -> String {
    let RunBucket {
        start,
        runs,
        passed,
        failed,
        unknown,
        availability,
        latency_mean_ms,
        latency_p50_ms,
        latency_p95_ms,
        requests,
        failed_tests,
        errors,
    } = bucket;
    let [availability, mean, p50, p95] =
        [availability, latency_mean_ms, latency_p50_ms, latency_p95_ms].map(|value| number(*value));
    format!(
        "{start},{runs},{passed},{failed},{unknown},{availability},{mean},{p50},{p95},{requests},{failed_tests},\
         {errors},{monitor}{END}"
    )
}

/// An absent number is an empty cell.
fn number(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A text that a stranger wrote. Spreadsheets run what begins like a formula, also behind blanks and also in quotes;
/// a `'` before it makes it a text. Which separator they go by depends on where they run, so that a cell may begin for
/// them in the middle of this one.
fn cell(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut begins = true;
    for (place, character) in text.char_indices() {
        let is_first = place == 0 && SEPARATORS.contains(&character);
        if is_first || begins && is_formula(&text[place..]) {
            safe.push('\'');
        }
        begins = SEPARATORS.contains(&character);
        safe.push(character);
    }
    if safe.contains('"') || safe.contains(SEPARATORS) || safe.starts_with(' ') || safe.ends_with(' ') {
        format!("\"{}\"", safe.replace('"', "\"\""))
    } else {
        safe
    }
}

/// Whether a spreadsheet may take the beginning of a cell for that of a formula.
fn is_formula(cell: &str) -> bool {
    let begins = cell.trim_start_matches([' ', '\u{a0}', '\u{3000}', '"']).chars().next();
    matches!(begins, Some('=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠' | '|' | '%'))
}

#[cfg(test)]
mod tests;
