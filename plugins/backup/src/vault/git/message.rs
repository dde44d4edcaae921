//! What a commit says: a text for people, and trailers that make it a version.

use chrono::DateTime;
use git2::Commit;

use super::{naming::is_path, template::Template};
use crate::vault::{Counts, Found, Stored, Version, names};

/// What a message may have.
pub(crate) const PLACEHOLDERS: [&str; 7] = ["name", "id", "time", "date", "sha", "format", "summary"];
const PREFIX: &str = "Postroom-";
const COLLECTION: &str = "Postroom-Collection: ";
const SUBJECT: &str = "Postman updated a collection";

/// A commit that keeps a version.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) key: String,
    /// Its length and what came before it are not in the commit's message.
    pub(super) version: Version,
}

/// The message of a version's commit.
pub(super) fn write(template: &Template, key: &str, version: &Version) -> String {
    let text = template.fill(|name| value(name, version));
    let text = text.trim();
    let mut message = if text.is_empty() { SUBJECT.to_owned() } else { text.to_owned() };
    message.push_str("\n\n");
    let mut trailer = |name: &str, value: &str| {
        message.push_str(&format!("{PREFIX}{name}: {}\n", one_line(value)));
    };
    trailer("Collection", key);
    if let Some(id) = &version.collection {
        trailer("Id", id);
    }
    if let Some(name) = &version.name {
        trailer("Name", name);
    }
    trailer("Sha256", &version.sha256);
    if let Some(canonical) = &version.canonical {
        trailer("Canonical", canonical);
    }
    trailer("Event", &version.event_id);
    trailer("Received", &names::rfc3339(version.received_unix_ms));
    trailer("File", &version.stored.file);
    trailer("Bytes", &version.bytes.to_string());
    trailer("Format", &version.format);
    let Counts { folders, requests, examples, scripts, variables } = version.counts;
    trailer("Counts", &format!("{folders} {requests} {examples} {scripts} {variables}"));
    if let Some(changes) = &version.changes {
        trailer("Changes", changes);
    }
    if version.redacted {
        trailer("Redacted", "yes");
    }
    for Found { rule, place } in &version.secrets {
        trailer("Secret", &format!("{rule}; {place}"));
    }
    message
}

fn value(placeholder: &str, version: &Version) -> String {
    let text = match placeholder {
        "name" => version.name.as_deref().unwrap_or("a collection without a name"),
        "id" => version.collection.as_deref().unwrap_or("unknown"),
        "time" => &names::rfc3339(version.received_unix_ms),
        "date" => &names::rfc3339(version.received_unix_ms)[..10],
        "sha" => &version.sha256[..12],
        "format" => &version.format,
        _ => match version.changes.as_deref() {
            None => "first version",
            Some("") => "nothing that people made",
            Some(changes) => changes,
        },
    };
    one_line(text)
}

/// What a stranger wrote must not become a trailer of its own.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    text.trim().to_owned()
}

/// What a commit says of a version; `None` for one that is no version.
pub(super) fn read(commit: &Commit<'_>) -> Option<Note> {
    let message = String::from_utf8_lossy(commit.message_raw_bytes());
    parse(&message, commit.committer().when().seconds())
}

fn parse(message: &str, written_unix_s: i64) -> Option<Note> {
    // Of a message into which others were put, the last of them counts.
    let marks = message.match_indices(COLLECTION).map(|(at, _)| at);
    let start = marks.filter(|at| *at == 0 || message[..*at].ends_with('\n')).last()?;
    let trailers = || message[start..].lines().filter_map(|line| line.strip_prefix(PREFIX)?.split_once(": "));
    let one = |name: &str| trailers().find(|(it, _)| *it == name).map(|(_, value)| value.to_owned());
    let sha256 = one("Sha256").filter(|it| it.len() == 64 && it.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let received = DateTime::parse_from_rfc3339(&one("Received")?).ok()?.timestamp_millis();
    let received_unix_ms = u64::try_from(received).ok()?;
    let counts = one("Counts").unwrap_or_default();
    let mut counts = counts.split(' ').map(|count| count.parse().unwrap_or_default());
    let mut count = || counts.next().unwrap_or_default();
    let bytes = one("Bytes")?.parse().ok()?;
    let secrets = trailers().filter(|(name, _)| *name == "Secret");
    let version = Version {
        id: names::version_id(received_unix_ms, &sha256),
        received_unix_ms,
        written_unix_ms: u64::try_from(written_unix_s).unwrap_or_default().saturating_mul(1000),
        stored: Stored { file: one("File").filter(|file| is_path(file))?, bytes, sha256: sha256.clone() },
        sha256,
        canonical: one("Canonical"),
        bytes,
        name: one("Name"),
        collection: one("Id"),
        format: one("Format").unwrap_or_else(|| "unknown".to_owned()),
        counts: Counts {
            folders: count(),
            requests: count(),
            examples: count(),
            scripts: count(),
            variables: count(),
        },
        event_id: one("Event")?,
        secrets: secrets
            .filter_map(|(_, value)| value.split_once("; "))
            .map(|(rule, place)| Found { rule: rule.to_owned(), place: place.to_owned() })
            .collect(),
        redacted: one("Redacted").is_some(),
        before: None,
        changes: one("Changes"),
        seen: 0,
        seen_unix_ms: received_unix_ms,
    };
    Some(Note { key: one("Collection")?, version })
}

#[cfg(test)]
mod tests;
