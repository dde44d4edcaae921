//! Latency and failures over time, in characters.

use postroom_core::time::Timestamp;

use super::history::{Point, Span};
use crate::{
    command::Failure,
    output::{Output, Screen},
};

/// Lines of the latency.
const HEIGHT: usize = 6;
/// Room for a number and its unit at the left.
const GUTTER: usize = 10;
const EIGHTHS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// What a column of the chart sums up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Column {
    runs: u64,
    failed: u64,
    /// Sums, for the mean.
    latency_ms: f64,
    timed: u64,
}

impl Column {
    fn mean_ms(&self) -> Option<f64> {
        (self.timed > 0).then(|| self.latency_ms / self.timed as f64)
    }
}

/// Draws the runs of a span.
pub(super) fn draw(points: &[Point], span: Span, output: &mut Output<'_>) -> Result<(), Failure> {
    let length = super::shown::span(span.from.until(span.until).as_secs());
    if points.is_empty() {
        return Ok(output.line(format_args!("no run in the last {length}"))?);
    }
    let Screen { width, unicode, .. } = output.screen();
    let columns = columns(points, span, width.saturating_sub(GUTTER).max(1));
    let means: Vec<Option<f64>> = columns.iter().map(Column::mean_ms).collect();
    let peak = means.iter().flatten().copied().fold(0.0, f64::max);

    output.line(format_args!("milliseconds a request took on the average, last {length}"))?;
    for row in (0..HEIGHT).rev() {
        let label = match row {
            0 => "0".to_owned(),
            row if row == HEIGHT - 1 => format!("{peak:.0}"),
            _ => String::new(),
        };
        let bars = means.iter().map(|mean| mean.map_or(' ', |mean| bar(mean, peak, row, unicode)));
        line(&label, bars, output)?;
    }
    let runs: u64 = columns.iter().map(|column| column.runs).sum();
    let failed: u64 = columns.iter().map(|column| column.failed).sum();
    let marks: Vec<char> = columns.iter().map(|column| mark(column, unicode)).collect();
    failures(&marks, output)?;
    line("", axis(span, columns.len()).chars(), output)?;
    Ok(output.line(format_args!("{failed} of {runs} runs failed"))?)
}

fn columns(points: &[Point], span: Span, count: usize) -> Vec<Column> {
    let mut columns = vec![Column::default(); count];
    for point in points {
        let column = &mut columns[place(point.at, span, count)];
        column.runs += point.runs;
        column.failed += point.failed;
        if let Some(latency_ms) = point.latency_ms {
            // By the number of runs, so that the sum of an hour weighs more than that of a minute.
            let weight = point.runs as f64;
            column.latency_ms += latency_ms * weight;
            column.timed += point.runs;
        }
    }
    columns
}

/// The column of a moment; what lies outside belongs to the nearest.
fn place(at: Timestamp, span: Span, count: usize) -> usize {
    let length = span.from.until(span.until).as_millis().max(1);
    let offset = span.from.until(at).as_millis();
    let place = offset.saturating_mul(count as u128) / length;
    usize::try_from(place).unwrap_or(usize::MAX).min(count - 1)
}

/// The part of a column's bar that is in a row, which count from the lowest.
fn bar(mean: f64, peak: f64, row: usize, unicode: bool) -> char {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a share of the height, which is small and not negative"
    )]
    let height = if peak > 0.0 { (mean / peak * (HEIGHT * 8) as f64).round() as usize } else { 0 };
    // What is there can be seen.
    let eighths = height.max(1).saturating_sub(row * 8).min(8);
    match (unicode, eighths) {
        (true, eighths) => EIGHTHS[eighths],
        (false, 0) => ' ',
        (false, 1..4) => '.',
        (false, 4..8) => ':',
        (false, _) => '#',
    }
}

/// Whether runs came, and whether one failed.
fn mark(column: &Column, unicode: bool) -> char {
    match (column.runs, column.failed, unicode) {
        (0, _, _) => ' ',
        (_, 0, true) => '·',
        (_, 0, false) => '.',
        (_, _, true) => '✗',
        (_, _, false) => 'x',
    }
}

fn line(label: &str, characters: impl Iterator<Item = char>, output: &mut Output<'_>) -> Result<(), Failure> {
    let room = GUTTER - 2;
    let text = format!("{label:>room$}  {}", characters.collect::<String>());
    Ok(output.line(text.trim_end())?)
}

/// The line of the failures, those in a colour that warns.
fn failures(marks: &[char], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut text = String::new();
    for part in marks.chunk_by(|a, b| is_failure(*a) == is_failure(*b)) {
        let characters: String = part.iter().collect();
        let failed = part.first().is_some_and(|mark| is_failure(*mark));
        text.push_str(&if failed { output.warning(characters) } else { characters });
    }
    line("failed", text.chars(), output)
}

const fn is_failure(mark: char) -> bool {
    matches!(mark, '✗' | 'x')
}

/// Where the span begins and ends.
fn axis(span: Span, width: usize) -> String {
    let at = |at: Timestamp| {
        jiff::Timestamp::from_millisecond(at.as_unix_ms())
            .map(|at| at.strftime("%Y-%m-%d %H:%MZ").to_string())
            .unwrap_or_default()
    };
    let (from, until) = (at(span.from), at(span.until));
    let between = width.saturating_sub(from.len() + until.len()).max(1);
    format!("{from}{}{until}", " ".repeat(between))
}
