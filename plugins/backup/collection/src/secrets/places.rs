//! What a value is to whoever looks for secrets: its role, and what people call its place.

use crate::place::Place;

/// What part a value plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Plain,
    /// A block of authorization.
    Auth,
    /// Its parameters: an object in format v2.0, a list of pairs in v2.1.
    Parameters,
    Parameter,
    Headers,
    Header,
    /// Of a form or a query.
    Fields,
    Field,
}

impl Role {
    /// The role of a member's value.
    pub(crate) fn member(self, place: Place, key: &str) -> Self {
        match (self, key) {
            (_, "auth") if place.member(key) == Place::Auth => Self::Auth,
            (Self::Auth, _) if key != "type" => Self::Parameters,
            (_, "helperAttributes") if place == Place::Request1 => Self::Parameters,
            (_, "header" | "headers" | "headerData") if is_message(place) => Self::Headers,
            (_, "data" | "queryParams") if place == Place::Request1 => Self::Fields,
            (_, "urlencoded" | "formdata" | "query") => Self::Fields,
            _ => Self::Plain,
        }
    }

    /// The role of an array's elements.
    pub(crate) fn element(self) -> Self {
        match self {
            Self::Parameters => Self::Parameter,
            Self::Headers => Self::Header,
            Self::Fields => Self::Field,
            _ => Self::Plain,
        }
    }
}

fn is_message(place: Place) -> bool {
    matches!(place, Place::Request | Place::Example | Place::Request1 | Place::Example1)
}

/// What people call a member, if that says more than the things around it.
pub(super) fn of_member(place: Place, role: Role, key: &str) -> Option<String> {
    match key {
        _ if role == Role::Parameters => Some(key.to_owned()),
        "auth" if place.member(key) == Place::Auth => Some("authorization".to_owned()),
        "url" if is_message(place) => Some("address".to_owned()),
        "body" if is_message(place) => Some("body".to_owned()),
        "rawModeData" if place == Place::Request1 => Some("body".to_owned()),
        "text" if place == Place::Example1 => Some("body".to_owned()),
        "tests" | "preRequestScript" if place == Place::Request1 => Some("script".to_owned()),
        "description" => Some("description".to_owned()),
        _ => None,
    }
}

/// What people call an object, when all of it was read.
pub(super) fn of_object(place: Place, role: Role, name: Option<&str>, is_folder: bool) -> Option<String> {
    let kind = match (place, role) {
        (_, Role::Header) => "header",
        (_, Role::Field) => "field",
        (_, Role::Parameter) => return name.map(str::to_owned),
        (Place::Folder1, _) => "folder",
        (Place::Item, _) if is_folder => "folder",
        (Place::Item | Place::Request1, _) => "request",
        (Place::Example | Place::Example1, _) => "example",
        (Place::Script, _) => "script",
        (Place::Variable | Place::PathVariable, _) => "variable",
        _ => return None,
    };
    Some(name.map_or_else(|| format!("{kind} without a name"), |name| format!("{kind} {name}")))
}
