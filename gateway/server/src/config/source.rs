//! `[[source]]`: the receiving URLs.

use std::collections::BTreeMap;

use postroom_core::{id::SourceName, limits, secret::Secret};
use postroom_host::PLUGIN_BODY_BYTES_MAX;

use super::{
    names,
    read::{self, Context, Table, Value},
    secrets, units,
};

/// No source takes what no plugin can be given.
const BODY_LIMIT_BYTES_MAX: u64 = PLUGIN_BODY_BYTES_MAX as u64;
const REQUESTS_PER_SECOND_MAX: u32 = 1_000_000;

/// A receiving URL `/hooks/{name}`.
#[derive(Debug, Clone)]
pub struct Source {
    /// The last part of the URL.
    pub name: SourceName,
    /// Any of them lets a caller in: one, or two while one is being replaced.
    pub tokens: Vec<Secret>,
    /// Largest body in bytes.
    pub body_bytes_max: u64,
    /// Most requests a second; no limit when absent.
    pub requests_per_second: Option<u32>,
    /// Labels of every event that comes in here.
    pub labels: BTreeMap<String, String>,
}

impl Source {
    pub(super) fn read(cx: &mut Context<'_>, mut table: Table<'_>) -> Option<Self> {
        let name = names::in_url(cx, &mut table);
        let tokens = table
            .require(cx, "tokens", "like tokens = [{ env = \"POSTMAN_TOKEN\" }]")
            .and_then(|value| tokens(cx, &value));
        let body_bytes_max = match table.get("body_limit") {
            None => Some(limits::BODY_BYTES_MAX),
            Some(value) => body_limit(cx, &value),
        };
        let requests_per_second = read::optional(table.get("requests_per_second"), |value| {
            value.number(cx, 1..=REQUESTS_PER_SECOND_MAX)
        });
        let labels = match table.get("labels") {
            None => Some(BTreeMap::new()),
            Some(value) => labels(cx, &value),
        };
        table.finish(cx);
        Some(Self {
            name: SourceName::new(name?),
            tokens: tokens?,
            body_bytes_max: body_bytes_max?,
            requests_per_second: requests_per_second?,
            labels: labels?,
        })
    }
}

fn tokens(cx: &mut Context<'_>, value: &Value<'_>) -> Option<Vec<Secret>> {
    let items = value.list(cx)?;
    if items.is_empty() || items.len() > limits::SOURCE_TOKENS_MAX {
        let message = format!("a source has one or two tokens, found {}", items.len());
        cx.faults.at(&value.spot, message).hint("two let you replace one without losing events");
        return None;
    }
    let tokens: Vec<Secret> = items.iter().filter_map(|item| secrets::token(cx, item)).collect();
    (tokens.len() == items.len()).then_some(tokens)
}

fn body_limit(cx: &mut Context<'_>, value: &Value<'_>) -> Option<u64> {
    value.parsed(cx, "a size from 1 B to 1023 MiB", "like \"64 MiB\" or \"512 KiB\"", |text| {
        units::bytes(text).filter(|bytes| (1..=BODY_LIMIT_BYTES_MAX).contains(bytes))
    })
}

fn labels(cx: &mut Context<'_>, value: &Value<'_>) -> Option<BTreeMap<String, String>> {
    let table = value.table(cx)?;
    let mut labels = BTreeMap::new();
    let mut complete = true;
    for (name, value) in table.entries() {
        let text = value.text(cx).filter(|text| {
            let fits = !name.is_empty() && name.len().max(text.len()) <= limits::LABEL_BYTES_MAX;
            if !fits {
                let hint = format!("name and value have at most {} bytes each", limits::LABEL_BYTES_MAX);
                cx.faults.at(&value.spot, "the label is too long, or its name is empty").hint(hint);
            }
            fits
        });
        match text {
            Some(text) => drop(labels.insert(name.to_owned(), text.to_owned())),
            None => complete = false,
        }
    }
    if labels.len() > limits::LABELS_MAX {
        cx.faults.at(&value.spot, "too many labels").hint(format!("at most {}", limits::LABELS_MAX));
        complete = false;
    }
    complete.then_some(labels)
}
