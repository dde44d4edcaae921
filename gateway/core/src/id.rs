//! Identifiers as types, so that one cannot be taken for another.

use std::{fmt, str::FromStr};

use uuid::Uuid;

macro_rules! uuid_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The bytes as they are stored.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Reads the bytes as they are stored.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                Uuid::from_str(text).map(Self).map_err(|_| ParseIdError { what: $what })
            }
        }
    };
}

uuid_type! {
    /// Names an accepted event: a UUIDv7 that the gateway stamps, because Postman sends no id.
    /// Stable over attempts and restarts; plugins use it as idempotency key.
    EventId, "an event id (a UUID)"
}
uuid_type! {
    /// Names an incident: a UUIDv7 of the time at which it opened, so incidents sort by age.
    IncidentId, "an incident id (a UUID)"
}

macro_rules! number_type {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(i64);

        impl $name {
            /// Wraps the store's number.
            #[must_use]
            pub const fn new(number: i64) -> Self {
                Self(number)
            }

            /// Gives the store's number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.parse().ok().filter(|n| *n > 0).map(Self).ok_or(ParseIdError { what: $what })
            }
        }
    };
}

number_type! {
    /// Names a delivery. The store counts them up as it accepts events, so a smaller number was accepted earlier:
    /// this is the order of a lane.
    DeliveryId, "a delivery id (a number)"
}
number_type! {
    /// Names a replay: one request to deliver again all that match a filter.
    ReplayId, "a replay id (a number)"
}

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not {what}")]
pub struct ParseIdError {
    what: &'static str,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Wraps a name that the configuration has checked.
            #[must_use]
            pub fn new(name: impl Into<std::sync::Arc<str>>) -> Self {
                Self(name.into())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        // Lets a map keyed by the name be asked with a plain string.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name_type! {
    /// Names a source: the last part of a receiving URL `/hooks/{source}`.
    SourceName
}
name_type! {
    /// Names a destination: a plugin plus its settings.
    DestinationName
}
name_type! {
    /// Names a route: a rule that says which events go to which destinations.
    RouteName
}
