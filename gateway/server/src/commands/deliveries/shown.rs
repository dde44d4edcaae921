//! Deliveries in words.

use serde_json::Value;

use crate::{
    command::Failure,
    commands::{
        asked::{self, number, text},
        monitors::time,
    },
    output::Output,
};

/// One line for each delivery.
pub(super) fn table(deliveries: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 7]> = deliveries.iter().map(row).collect();
    let header = ["MADE", "DESTINATION", "STATE", "ATTEMPTS", "LAST OUTCOME", "EVENT", "ID"];
    Ok(output.table_within(header, &rows, 4)?)
}

fn row(delivery: &Value) -> [String; 7] {
    let part = |key: &str| text(&delivery[key]);
    [
        time(&delivery["created_at"]),
        part("destination"),
        part("state"),
        number(&delivery["attempts_made"]),
        outcome(&delivery["last_outcome"]),
        part("event_id"),
        part("id"),
    ]
}

/// How an attempt ended.
fn outcome(outcome: &Value) -> String {
    let class = outcome["kind"].as_str().or_else(|| outcome["outcome"].as_str()).unwrap_or_default();
    let said = [text(&outcome["code"]), text(&outcome["message"])];
    let said = said.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ");
    if said.is_empty() { class.to_owned() } else { format!("{class} ({said})") }
}

/// A delivery with its attempts.
pub(super) fn facts(delivery: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let part = |key: &str| text(&delivery[key]);
    asked::print_facts(
        &[
            ("id", part("id")),
            ("event", part("event_id")),
            ("destination", part("destination")),
            ("route", part("route")),
            ("lane", part("lane")),
            ("state", part("state")),
            ("made", part("created_at")),
            ("next attempt", part("next_attempt_at")),
            ("finished", part("finished_at")),
            ("repeats", part("replay_of")),
            ("repeated by", part("replayed_by")),
            ("replay", part("replay")),
            ("last outcome", outcome(&delivery["last_outcome"])),
        ],
        output,
    )?;
    let attempts = delivery["attempts"].as_array().map(Vec::as_slice).unwrap_or_default();
    let row = |attempt: &Value| {
        let record = attempt["record"].as_object().map(|record| Value::Object(record.clone()).to_string());
        [
            number(&attempt["number"]),
            text(&attempt["started_at"]),
            text(&attempt["finished_at"]),
            outcome(attempt),
            record.unwrap_or_default(),
        ]
    };
    let rows: Vec<[String; 5]> = attempts.iter().map(row).collect();
    output.line("")?;
    Ok(output.table(["ATTEMPT", "BEGAN", "ENDED", "OUTCOME", "RECORD"], &rows)?)
}

/// Dead letters in groups.
pub(super) fn dead(list: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let groups = asked::items(list);
    if groups.is_empty() {
        output.say("there are no dead letters")?;
    }
    let row = |group: &Value| {
        let part = |key: &str| text(&group[key]);
        [
            part("destination"),
            number(&group["count"]),
            part("code"),
            part("message"),
            time(&group["last_at"]),
            part("newest_delivery_id"),
        ]
    };
    let rows: Vec<[String; 6]> = groups.iter().map(row).collect();
    output.table_within(["DESTINATION", "COUNT", "CODE", "MESSAGE", "LAST", "NEWEST"], &rows, 3)?;
    if list["is_more"] == true {
        output.say("there are more: only the newest were looked at")?;
    }
    Ok(())
}
