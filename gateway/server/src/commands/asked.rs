//! What the commands that ask a running gateway share.

use clap::ValueEnum;
use serde_json::{Value, json};

use super::monitors::pages;
use crate::{
    command::{Api, Failure, GatewayFlags},
    output::{Output, plain},
};

/// Flags of a command that needs nothing else.
#[derive(Debug, clap::Args)]
pub(crate) struct Plain {
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) gateway: GatewayFlags,
}

/// Flags of a command about one thing.
#[derive(Debug, clap::Args)]
pub(crate) struct OfOne {
    /// Its id
    #[arg(value_name = "ID")]
    pub(super) id: String,
    #[command(flatten)]
    pub(super) plain: Plain,
}

/// Flags of a list.
#[derive(Debug, clap::Args)]
pub(crate) struct Length {
    /// Most of them to list
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) limit: u32,
    #[command(flatten)]
    pub(super) plain: Plain,
}

/// Prints the first items of a list, as JSON or by `table`. `what` is what one of them is called.
pub(super) fn print_list(
    path: &str,
    query: Vec<(&str, String)>,
    length: &Length,
    (what, table): (&str, impl Fn(&[Value], &mut Output<'_>) -> Result<(), Failure>),
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let limit = usize::try_from(length.limit).unwrap_or(usize::MAX);
    let listed = pages(&length.plain.gateway.api()?, &[path], query, limit)?;
    print_items(listed, length.plain.json, (what, table), output)
}

/// Prints the first items of a list, which `next_cursor` goes on with, as JSON like the API's or by `table`. Either way it
/// says that there are more. `what` is what one of them is called.
pub(super) fn print_items(
    (items, next_cursor): (Vec<Value>, Option<String>),
    json: bool,
    (what, table): (&str, impl Fn(&[Value], &mut Output<'_>) -> Result<(), Failure>),
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let (count, has_more) = (items.len(), next_cursor.is_some());
    if json {
        let mut list = json!({ "items": items });
        if let Some(cursor) = next_cursor {
            list["next_cursor"] = cursor.into();
        }
        output.json(&list)?;
    } else {
        if items.is_empty() {
            output.say(format_args!("no {what} matches"))?;
        }
        table(&items, output)?;
    }
    if has_more {
        output.say(format_args!("there are more than these {count}: see --limit"))?;
    }
    Ok(())
}

/// Prints what is at a path, as JSON or by `show`.
pub(super) fn print_one(
    path: &[&str],
    plain: &Plain,
    show: impl Fn(&Value, &mut Output<'_>) -> Result<(), Failure>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let found = plain.gateway.api()?.get(path)?;
    if plain.json { Ok(output.json(&found)?) } else { show(&found, output) }
}

/// The first item of a list that does as one: whatever is not a list has none.
pub(super) fn items(list: &Value) -> &[Value] {
    list["items"].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A line for each fact that there is.
pub(super) fn print_facts(facts: &[(&str, String)], output: &mut Output<'_>) -> Result<(), Failure> {
    let said = || facts.iter().filter(|(_, value)| !value.is_empty());
    let width = said().map(|(name, _)| name.len()).max().unwrap_or_default();
    for (name, value) in said() {
        output.line(format_args!("{name:<width$}  {}", plain(value)))?;
    }
    Ok(())
}

/// A text of the answer; nothing is an empty one.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// A whole number of the answer.
pub(super) fn number(value: &Value) -> String {
    value.as_u64().map(|number| number.to_string()).unwrap_or_default()
}

/// Something of Postman's: its name, else its id.
pub(super) fn named(thing: &Value) -> String {
    let part = |key: &str| thing[key].as_str();
    part("name").or_else(|| part("id")).unwrap_or_default().to_owned()
}

/// Texts in a row.
pub(super) fn joined(list: &Value) -> String {
    let texts: Vec<_> = list.as_array().into_iter().flatten().map(text).collect();
    texts.join(", ")
}

/// Names with their values in a row.
pub(super) fn pairs(map: &Value) -> String {
    let pairs = map.as_object().into_iter().flatten();
    let pairs: Vec<_> = pairs.map(|(name, value)| format!("{name}={}", text(value))).collect();
    pairs.join(", ")
}

/// A word as the API spells it.
pub(super) fn word(value: impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().replace('-', "_")).unwrap_or_default()
}

/// A moment with its time zone, as it was written.
pub(super) fn moment(text: &str) -> Result<String, &'static str> {
    let moment = text.parse::<jiff::Timestamp>();
    moment.map(|_| text.to_owned()).map_err(|_| "expected a moment, like 2026-11-23T06:00:00Z")
}

/// Asks for something to be done that needs no more than a path.
pub(super) fn act(api: &Api, path: &[&str]) -> Result<Value, Failure> {
    api.post(crate::command::Question { path, ..crate::command::Question::default() })
}
