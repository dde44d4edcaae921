//! Events in words.

use serde_json::Value;

use crate::{
    command::Failure,
    commands::{
        asked::{self, named, number, pairs, text},
        monitors::time,
        routes::print_route,
    },
    output::Output,
};

/// One line for each event.
pub(super) fn table(events: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let rows: Vec<[String; 5]> = events.iter().map(row).collect();
    Ok(output.table_sparing(["RECEIVED", "KIND", "WHAT", "SOURCE", "ID"], &rows, 2, &[3, 1])?)
}

fn row(event: &Value) -> [String; 5] {
    [
        time(&event["received_at"]),
        text(&event["kind"]),
        what(event),
        text(&event["source"]),
        text(&event["id"]),
    ]
}

/// What an event says, in a few words.
fn what(event: &Value) -> String {
    let parts = [
        text(&event["verdict"]),
        named(&event["monitor"]),
        text(&event["activity"]["action"]),
        text(&event["activity"]["model"]),
        named(&event["collection"]),
        text(&event["note"]),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// An event with its deliveries and what the routes said.
pub(super) fn facts(event: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let made_by = match event["made_by"]["destination"].as_str() {
        Some(destination) => format!("the plugin of {destination}"),
        None => String::new(),
    };
    let activity = [text(&event["activity"]["action"]), text(&event["activity"]["model"])].join(" ");
    asked::print_facts(
        &[
            ("id", text(&event["id"])),
            ("received", text(&event["received_at"])),
            ("source", text(&event["source"])),
            ("made by", made_by),
            ("kind", text(&event["kind"])),
            ("verdict", text(&event["verdict"])),
            ("subject", text(&event["subject"])),
            ("monitor", named(&event["monitor"])),
            ("collection", named(&event["collection"])),
            ("environment", named(&event["environment"])),
            ("activity", activity.trim().to_owned()),
            ("labels", pairs(&event["labels"])),
            ("note", text(&event["note"])),
            ("content type", text(&event["content_type"])),
            ("body", format!("{} bytes", number(&event["body_bytes"]))),
        ],
        output,
    )?;
    let deliveries = event["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let rows: Vec<[String; 5]> = deliveries
        .iter()
        .map(|delivery| {
            let part = |key: &str| text(&delivery[key]);
            [part("destination"), part("state"), number(&delivery["attempts"]), part("route"), part("id")]
        })
        .collect();
    output.line("")?;
    if rows.is_empty() {
        output.line("it went nowhere")?;
    }
    output.table(["DESTINATION", "STATE", "ATTEMPTS", "ROUTE", "DELIVERY"], &rows)?;
    let routes = event["routes"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !routes.is_empty() {
        output.line("")?;
    }
    for route in routes {
        let matched = route["matched"] == true;
        let reasons = route["reasons"].as_array().into_iter().flatten();
        // A route that took it has only conditions that hold, one that left it only those that do not.
        print_route(&text(&route["name"]), matched, reasons.map(|reason| (matched, text(reason))), output)?;
    }
    Ok(())
}
