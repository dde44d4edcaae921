//! Deliveries in words.

use serde_json::Value;

use crate::{
    command::Failure,
    commands::{
        asked::{self, number, text},
        monitors::time,
    },
    output::{Output, plain},
};

/// The parts of a filter, each with the flag of `replay create`.
const FLAGS: [(&str, &str); 8] = [
    ("state", "--state"),
    ("destination", "--destination"),
    ("event_id", "--event"),
    ("kind", "--kind"),
    ("source", "--source"),
    ("subject", "--subject"),
    ("created_after", "--after"),
    ("created_before", "--before"),
];

/// One line for each delivery.
pub(super) fn table(deliveries: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 7]> = deliveries.iter().map(row).collect();
    let header = ["MADE", "DESTINATION", "STATE", "ATTEMPTS", "LAST OUTCOME", "EVENT", "ID"];
    Ok(output.table_sparing(header, &rows, 4, &[5, 3])?)
}

fn row(delivery: &Value) -> [String; 7] {
    let part = |key: &str| text(&delivery[key]);
    [
        time(&delivery["created_at"]),
        part("destination"),
        if delivery["replayed_by"].is_string() {
            format!("{}, repeated", part("state"))
        } else {
            part("state")
        },
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
    Ok(output.table_sparing(["ATTEMPT", "BEGAN", "ENDED", "OUTCOME", "RECORD"], &rows, 3, &[2, 4])?)
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
    for group in groups {
        output.say(go_again(group, groups))?;
    }
    if list["is_more"] == true {
        output.say("there are more: only the newest were looked at")?;
    }
    Ok(())
}

/// The command that makes a group go again, and what else it takes along.
fn go_again(group: &Value, groups: &[Value]) -> String {
    let filter = &group["filter"];
    let flags: String = FLAGS
        .iter()
        .filter_map(|(part, flag)| Some(format!(" {flag} {}", quoted(filter[*part].as_str()?))))
        .collect();
    let others = groups.iter().filter(|other| *other != group && is_taken_along(filter, &other["filter"]));
    let others: Vec<String> = others.map(|other| or_none(&other["code"])).collect();
    let destination = plain(text(&group["destination"]));
    let said = format!("{destination}, {}: postroom replay create{flags}", or_none(&group["code"]));
    if others.is_empty() {
        said
    } else {
        format!("{said}\n    it takes those with {} too", others.join(", "))
    }
}

/// A code, or that there is none.
fn or_none(code: &Value) -> String {
    code.as_str().map_or_else(|| "no code".to_owned(), plain)
}

/// Whether something that fits `other` may fit `filter`, both of groups of dead letters: those differ by destination and time.
fn is_taken_along(filter: &Value, other: &Value) -> bool {
    let moment = |filter: &Value, key: &str| filter[key].as_str()?.parse::<jiff::Timestamp>().ok();
    let begins_before_end =
        |one: &Value, two: &Value| match (moment(one, "created_after"), moment(two, "created_before")) {
            (Some(begin), Some(end)) => begin < end,
            _ => true,
        };
    filter["destination"] == other["destination"]
        && begins_before_end(filter, other)
        && begins_before_end(other, filter)
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let word = plain(word);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
