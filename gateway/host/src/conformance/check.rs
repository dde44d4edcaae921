//! The list of checks, in the order in which they are made.

use postroom_core::event::Kind;

use super::{Broken, Seen, Subject, asked, files, hurried, kept, lasting, payloads, settings};

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    File,
    Schemas,
    Start,
    Describe,
    Health,
    Sample(Kind),
    NewKind,
    Again,
    Once,
    Quick,
    AtOnce,
    Empty,
    NotJson,
    Large,
    Cancelled,
    Growth,
    Stop,
    StopInFlight,
    Nonsense,
    OtherType,
}

impl Check {
    pub(super) const ALL: [Self; 23] = [
        Self::File,
        Self::Schemas,
        Self::Start,
        Self::Describe,
        Self::Health,
        Self::Sample(Kind::MonitorRun),
        Self::Sample(Kind::CollectionBackup),
        Self::Sample(Kind::Activity),
        Self::Sample(Kind::Unrecognized),
        Self::NewKind,
        Self::Again,
        Self::Once,
        Self::Quick,
        Self::AtOnce,
        Self::Empty,
        Self::NotJson,
        Self::Large,
        Self::Cancelled,
        Self::Growth,
        Self::Stop,
        Self::StopInFlight,
        Self::Nonsense,
        Self::OtherType,
    ];

    /// Length of the longest name.
    pub(super) const WIDTH: usize = {
        let (mut width, mut at) = (0, 0);
        while at < Self::ALL.len() {
            let length = Self::ALL[at].name().len();
            if length > width {
                width = length;
            }
            at += 1;
        }
        width
    };

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::File => "file and manifest",
            Self::Schemas => "schemas are JSON Schema",
            Self::Start => "starts",
            Self::Describe => "describes itself as its file does",
            Self::Health => "health answers",
            Self::Sample(Kind::MonitorRun) => "delivers monitor_run",
            Self::Sample(Kind::CollectionBackup) => "delivers collection_backup",
            Self::Sample(Kind::Activity) => "delivers activity",
            Self::Sample(Kind::Unrecognized) => "delivers unrecognized",
            Self::Sample(Kind::Made(_)) => "delivers what the gateway made",
            Self::Sample(Kind::Emitted(_)) => "delivers what a plugin made",
            Self::NewKind => "event of a kind to come",
            Self::Again => "the same event again",
            Self::Once => "every delivery ends once",
            Self::Quick => "deliver comes back at once",
            Self::AtOnce => "100 deliveries at once",
            Self::Empty => "empty body",
            Self::NotJson => "body that is not JSON",
            Self::Large => "body of 32 MiB",
            Self::Cancelled => "cancelled deliveries",
            Self::Growth => "no growth after many deliveries",
            Self::Stop => "drain and destroy",
            Self::StopInFlight => "destroy with deliveries in flight",
            Self::Nonsense => "config full of nonsense",
            Self::OtherType => "config of another type",
        }
    }

    /// Whether the check is about a plugin that runs with the settings it was given.
    pub(super) const fn needs_start(self) -> bool {
        !matches!(self, Self::File | Self::Schemas | Self::Start | Self::Nonsense | Self::OtherType)
    }

    /// Makes the check; gives what was seen.
    pub(super) async fn run(self, subject: &Subject) -> Result<Seen, Broken> {
        let reason = match self {
            Self::Sample(kind) => return payloads::samples_of(subject, kind).await,
            Self::File => files::file_and_manifest(&subject.instance.plugin),
            Self::Schemas => files::schemas(&subject.instance.plugin.manifest),
            Self::Start => settings::starts(subject).await,
            Self::Describe => asked::describes(subject).await,
            Self::Health => asked::health(subject).await,
            Self::NewKind => payloads::new_kind(subject).await,
            Self::Once => kept::ended_once(subject).await,
            Self::Quick => kept::quick(subject).await,
            Self::Again => payloads::again(subject).await,
            Self::AtOnce => hurried::at_once(subject).await,
            Self::Empty => payloads::empty(subject).await,
            Self::NotJson => payloads::not_json(subject).await,
            Self::Large => payloads::large(subject).await,
            Self::Cancelled => hurried::cancelled(subject).await,
            Self::Growth => lasting::growth(subject).await,
            Self::Stop => lasting::stop(subject).await,
            Self::StopInFlight => lasting::stop_in_flight(subject).await,
            Self::Nonsense => settings::nonsense(subject).await,
            Self::OtherType => settings::other_type(subject).await,
        };
        reason.map(Seen::from)
    }
}
