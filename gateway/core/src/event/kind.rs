//! What an event is.

use std::{fmt, str::FromStr};

use super::UnknownName;

/// What an event is. Postman sends no type: the classifier tells kinds apart by the shape of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The result of a monitor run.
    MonitorRun,
    /// A whole collection, sent when it changed.
    CollectionBackup,
    /// An entry of a team or collection activity feed.
    Activity,
    /// Anything else that an authenticated caller sent: kept byte for byte, with a note why.
    Unrecognized,
    /// Made by the gateway about what came in.
    Made(MadeKind),
    /// Made by a plugin, which has named it.
    Emitted(EmittedKind),
}

/// What the gateway tells about the monitors and collections whose events it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MadeKind {
    /// A monitor's runs fail.
    IncidentOpened,
    /// They still do.
    IncidentReminder,
    /// They pass again.
    IncidentResolved,
    /// A monitor's runs stay away.
    MonitorSilent,
    /// They come again.
    MonitorResumed,
    /// A collection was not backed up for longer than it should.
    BackupOverdue,
}

impl MadeKind {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::IncidentOpened,
        Self::IncidentReminder,
        Self::IncidentResolved,
        Self::MonitorSilent,
        Self::MonitorResumed,
        Self::BackupOverdue,
    ];

    /// The name used in configuration, API, store and plugins.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IncidentOpened => "incident_opened",
            Self::IncidentReminder => "incident_reminder",
            Self::IncidentResolved => "incident_resolved",
            Self::MonitorSilent => "monitor_silent",
            Self::MonitorResumed => "monitor_resumed",
            Self::BackupOverdue => "backup_overdue",
        }
    }
}

impl fmt::Display for MadeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Kind {
    /// Every kind that can come in, in the order in which people are shown them.
    pub const ALL: [Self; 4] = [Self::MonitorRun, Self::CollectionBackup, Self::Activity, Self::Unrecognized];
    /// The names of the gateway's own kinds: those that can come in, and those that it makes.
    pub const NAMES: [&str; 10] = [
        "monitor_run",
        "collection_backup",
        "activity",
        "unrecognized",
        MadeKind::ALL[0].as_str(),
        MadeKind::ALL[1].as_str(),
        MadeKind::ALL[2].as_str(),
        MadeKind::ALL[3].as_str(),
        MadeKind::ALL[4].as_str(),
        MadeKind::ALL[5].as_str(),
    ];

    /// The name used in configuration, API, store and plugins.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::MonitorRun => Self::NAMES[0],
            Self::CollectionBackup => Self::NAMES[1],
            Self::Activity => Self::NAMES[2],
            Self::Unrecognized => Self::NAMES[3],
            Self::Made(kind) => kind.as_str(),
            Self::Emitted(kind) => kind.as_str(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let made = MadeKind::ALL.into_iter().map(Self::Made);
        let own = Self::ALL.into_iter().chain(made).find(|kind| kind.as_str() == text);
        own.or_else(|| text.parse().ok().map(Self::Emitted)).ok_or(UnknownName { what: "kind" })
    }
}

/// Longest name of a kind, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// How the gateway's own kinds begin, those to come included. No plugin can pretend to be a monitor.
const RESERVED: [&str; 6] = ["monitor_", "collection_", "incident_", "backup_", "delivery_", "destination_"];
/// Those that begin so and that a plugin makes all the same: the bundled one that keeps backups. They say nothing that the
/// gateway acts on.
const BUNDLED: [&str; 3] = ["backup_changed", "backup_damaged", "backup_secrets"];

/// The name that a plugin gives to a kind of its own: 1 to 64 lower-case letters, digits and `_`.
///
/// Small enough to be copied, as every kind is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EmittedKind {
    /// Zeros behind the name.
    bytes: [u8; NAME_BYTES_MAX],
}

/// Why a plugin cannot have a kind of this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EmittedKindError {
    /// It is no name.
    #[error("a kind has 1 to 64 of the characters a-z, 0-9 and _")]
    NotAName,
    /// The gateway has, or is going to have, events of this kind itself.
    #[error("the gateway keeps this name for itself")]
    Reserved,
}

impl EmittedKind {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let end = self.bytes.iter().position(|byte| *byte == 0).unwrap_or(NAME_BYTES_MAX);
        std::str::from_utf8(&self.bytes[..end]).expect("only ASCII is taken")
    }
}

impl FromStr for EmittedKind {
    type Err = EmittedKindError;

    fn from_str(text: &str) -> Result<Self, EmittedKindError> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if !(1..=NAME_BYTES_MAX).contains(&text.len()) || !text.bytes().all(is_plain) {
            return Err(EmittedKindError::NotAName);
        }
        let is_reserved = Kind::NAMES.contains(&text) || RESERVED.iter().any(|start| text.starts_with(start));
        if is_reserved && !BUNDLED.contains(&text) {
            return Err(EmittedKindError::Reserved);
        }
        let mut bytes = [0; NAME_BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes })
    }
}

impl fmt::Debug for EmittedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for EmittedKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
