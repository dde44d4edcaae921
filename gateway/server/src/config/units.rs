//! Durations and sizes as people write them: `30s`, `64 MiB`.

use std::time::Duration;

/// Longest duration that a setting may have. Anything above is a slip, and sums stay far from overflow.
const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// Longest age that something may be kept for, for the same reason: a hundred years.
const AGE_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// Reads `500ms`, `5s`, `2m`, `1h`, `1d` or `1 day`.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    span(text).filter(|duration| *duration <= DURATION_MAX)
}

/// Reads the same as how long something is kept, which may be years.
pub(super) fn age(text: &str) -> Option<Duration> {
    span(text).filter(|age| *age <= AGE_MAX)
}

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(number.checked_mul(unit_ms)?))
}

/// Reads `64 MiB`, `10MB`, `512 KiB` or `100 B` as bytes.
pub(super) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let unit_bytes = match unit.to_ascii_lowercase().as_str() {
        "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return None,
    };
    number.checked_mul(unit_bytes)
}

/// Writes a duration so that it reads back as the same.
pub(super) fn shown_duration(duration: Duration) -> String {
    let ms = duration.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    shown(ms, &units)
}

/// Writes a size so that it reads back as the same.
pub(super) fn shown_bytes(bytes: u64) -> String {
    let units = [(1 << 40, " TiB"), (1 << 30, " GiB"), (1 << 20, " MiB"), (1 << 10, " KiB"), (1, " B")];
    shown(bytes.into(), &units)
}

/// In the largest unit that it is a whole number of.
fn shown(number: u128, units: &[(u128, &str)]) -> String {
    let whole = units.iter().find(|(unit, _)| number > 0 && number.is_multiple_of(*unit));
    let (unit, name) = whole.or(units.last()).copied().unwrap_or((1, ""));
    format!("{}{name}", number / unit)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits_end = text.find(|c: char| !c.is_ascii_digit())?;
    let (digits, unit) = text.split_at(digits_end);
    Some((digits.parse().ok()?, unit.trim_start()))
}

#[cfg(test)]
mod tests;
