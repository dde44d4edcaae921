//! `[[api_key]]`: who may use the API.

use postroom_core::secret::Secret;

use super::{
    names,
    read::{Context, Table},
    secrets,
};

/// A key of the API.
#[derive(Debug, Clone)]
pub struct ApiKey {
    /// Whose it is.
    pub name: String,
    /// What it allows.
    pub role: Role,
    /// The key itself.
    pub key: Secret,
}

/// What an API key allows; each role may do what the one before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Also acts on deliveries and destinations.
    Operator,
    /// Also changes the configuration.
    Admin,
}

const ROLES: [(&str, Role); 3] =
    [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

impl ApiKey {
    pub(super) fn read(cx: &mut Context<'_>, mut table: Table<'_>) -> Option<Self> {
        let name = names::for_people(cx, &mut table);
        let role = table.require(cx, "role", "viewer, operator or admin");
        let role = role.and_then(|value| value.word(cx, "role", &ROLES));
        let key = table.require(cx, "key", "like key = { env = \"POSTROOM_API_KEY\" }");
        let key = key.and_then(|value| secrets::token(cx, &value));
        table.finish(cx);
        Some(Self { name: name?.to_owned(), role: role?, key: key? })
    }
}
