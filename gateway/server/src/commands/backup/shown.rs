//! Backups in words.

use serde_json::Value;

use super::{super::monitors::time, act::list};
use crate::{
    command::Failure,
    output::{Output, plain},
};

/// One line for each collection.
pub(super) fn collections(collections: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |it: &Value| {
        let newest = &it["newest"];
        [
            text(&newest["name"]),
            count(&it["versions"]),
            time(&newest["received_at"]),
            time(&newest["seen_at"]),
            size(&it["stored_bytes"]),
            text(&it["collection"]),
        ]
    };
    let rows: Vec<_> = collections.iter().map(row).collect();
    Ok(output.table_within(["NAME", "VERSIONS", "NEWEST", "LAST BACKUP", "STORED", "ID"], &rows, 0)?)
}

/// One line for each version.
pub(super) fn versions(versions: &[Value], output: &mut Output<'_>) -> Result<(), Failure> {
    let row = |version: &Value| {
        [time(&version["received_at"]), size(&version["bytes"]), changes(version), text(&version["id"])]
    };
    let rows: Vec<_> = versions.iter().map(row).collect();
    Ok(output.table_within(["RECEIVED", "SIZE", "CHANGES", "VERSION"], &rows, 2)?)
}

/// What a version changed, and what there is to know of it beside that.
fn changes(version: &Value) -> String {
    let mut words = match version["changes"].as_str() {
        Some(changes) => vec![changes.to_owned()],
        None if version["before"].is_null() => vec!["first version".to_owned()],
        None => Vec::new(),
    };
    let secrets = version["secrets"].as_array().map_or(0, Vec::len);
    if secrets > 0 {
        let were = if version["redacted"] == true { " taken out" } else { "" };
        words.push(format!("{}{were}", counted(secrets as u64, "secret")));
    }
    if words.is_empty() { "-".to_owned() } else { words.join("; ") }
}

/// A version with all that there is to say.
pub(super) fn facts(collection: &str, version: &Value, output: &mut Output<'_>) -> Result<(), Failure> {
    let known = |name: &str| version[name].as_str().unwrap_or_default().to_owned();
    let seen = match version["seen"].as_u64() {
        None | Some(0) => String::new(),
        Some(1) => format!("once more, at {}", time(&version["seen_at"])),
        Some(times) => format!("{times} times more, at last at {}", time(&version["seen_at"])),
    };
    let mut facts = vec![
        ("name", known("name")),
        ("collection", collection.to_owned()),
        ("version", known("id")),
        ("received", time(&version["received_at"])),
        ("seen", seen),
        ("size", format!("{}, {} stored", size(&version["bytes"]), size(&version["stored_bytes"]))),
        ("format", known("format")),
        ("content", content(&version["counts"])),
        ("before", known("before")),
        ("changes", changes(version)),
        ("sha256", known("sha256")),
        ("event", known("event_id")),
        ("file", known("file")),
    ];
    for secret in list(version, "secrets").unwrap_or_default() {
        facts.push(("secret", format!("{}: {}", text(&secret["rule"]), text(&secret["place"]))));
    }
    for (name, value) in facts.iter().filter(|(_, value)| !value.is_empty()) {
        output.line(format_args!("{name:<10}  {}", plain(value)))?;
    }
    Ok(())
}

fn content(counts: &Value) -> String {
    let parts = ["folder", "request", "example", "script", "variable"];
    let parts = parts.into_iter().filter_map(|part| {
        let count = counts[format!("{part}s")].as_u64().filter(|count| *count > 0)?;
        Some(counted(count, part))
    });
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}

/// So many bytes in a unit that fits, with at most one decimal, rounded up: what is there is not nothing.
pub(super) fn size(bytes: &Value) -> String {
    let Some(bytes) = bytes.as_u64() else { return "-".to_owned() };
    size_of(bytes)
}

/// As [`size`].
pub(super) fn size_of(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    while unit + 1 < units.len() && bytes.div_ceil(1 << (10 * (unit + 1))) >= 1024 {
        unit += 1;
    }
    let tenths = (u128::from(bytes) * 10).div_ceil(1 << (10 * (unit + 1)));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[unit])
}

/// A count with what is counted.
pub(super) fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").to_owned()
}

fn count(value: &Value) -> String {
    value.as_u64().map_or_else(|| "-".to_owned(), |count| count.to_string())
}
