//! `postroom status`: the gateway in figures.

use serde_json::Value;

use super::{
    Failure, Output,
    asked::{self, Plain, number, text},
    time,
};
use crate::commands::monitors::span;

pub(crate) fn run(plain: &Plain, output: &mut Output<'_>) -> Result<(), Failure> {
    asked::print_one(&["stats"], plain, shown, output)
}

fn shown(stats: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let (events, deliveries, store) = (&stats["events"], &stats["deliveries"], &stats["store"]);
    let since = events["since_start"].as_array().into_iter().flatten();
    let kinds: Vec<_> =
        since.map(|counted| format!("{} {}", number(&counted["count"]), text(&counted["kind"]))).collect();
    let waiting = match deliveries["oldest_waiting_at"].as_str() {
        Some(_) => {
            format!(
                "{}, the oldest since {}",
                number(&deliveries["waiting"]),
                time(&deliveries["oldest_waiting_at"])
            )
        }
        None => number(&deliveries["waiting"]),
    };
    let more = if deliveries["dead_is_more"] == true { " or more" } else { "" };
    asked::print_facts(
        &[
            ("version", text(&stats["version"])),
            ("running for", span(stats["uptime_s"].as_u64().unwrap_or_default())),
            ("configuration", format!("{}, {}", number(&stats["generation"]), text(&stats["fingerprint"]))),
            (
                "events",
                format!(
                    "{} in the last minute, {} in the last hour, {} in the last day",
                    number(&events["last_minute"]),
                    number(&events["last_hour"]),
                    number(&events["last_day"])
                ),
            ),
            ("since start", kinds.join(", ")),
            (
                "kept since",
                events["oldest_at"].as_str().map(|_| time(&events["oldest_at"])).unwrap_or_default(),
            ),
            ("waiting", waiting),
            ("dead letters", format!("{}{more}", number(&deliveries["dead"]))),
            ("database", bytes(&store["database_bytes"])),
            ("large bodies", bytes(&store["blob_bytes"])),
        ],
        output,
    )?;
    let destinations = deliveries["destinations"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |destination: &Value| {
        let states = destination["since_start"].as_array().into_iter().flatten();
        let states: Vec<_> = states
            .map(|counted| format!("{} {}", number(&counted["count"]), text(&counted["state"])))
            .collect();
        [
            text(&destination["destination"]),
            number(&destination["waiting"]),
            number(&destination["dead"]),
            states.join(", "),
        ]
    };
    let rows: Vec<[String; 4]> = destinations.iter().map(row).collect();
    output.line("")?;
    Ok(output.table(["DESTINATION", "WAITING", "DEAD", "SINCE START"], &rows)?)
}

fn bytes(bytes: &Value) -> String {
    let bytes = bytes.as_u64().unwrap_or_default();
    let tenths = (bytes * 10).div_ceil(1024 * 1024);
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}
