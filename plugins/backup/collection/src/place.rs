//! Where in a collection a value stands, which tells ids that Postman generates from those that people chose.
//!
//! The same word means different things: the `id` of a script is made anew by every backup, the `id` of a variable
//! without a `key` is the variable's name, and the `id`s of format v1 hold its parts together.

/// What a value is, by the keys that lead to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Collection,
    Info,
    Items,
    Item,
    /// `_` of an item, where some tools keep its id.
    Hidden,
    Request,
    Url,
    Examples,
    Example,
    Scripts,
    Script,
    Source,
    Variables,
    Variable,
    /// Of a URL: a part of the request, not a variable of the collection.
    PathVariables,
    PathVariable,
    Auth,
    /// Lists of format v1.
    Folders1,
    Folder1,
    Requests1,
    Request1,
    Examples1,
    Example1,
    /// Nothing here is generated.
    Plain,
}

/// What Postman makes and nobody writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Generated {
    Id,
    /// A time, or who saved last.
    Stamp,
}

impl Place {
    /// The place of a member's value.
    pub(crate) fn member(self, key: &str) -> Self {
        match (self, key) {
            (Self::Collection, "info") => Self::Info,
            (Self::Collection | Self::Item, "item") => Self::Items,
            (Self::Item, "_") => Self::Hidden,
            (Self::Item, "request") | (Self::Example, "originalRequest") => Self::Request,
            (Self::Item, "response" | "responses") => Self::Examples,
            (Self::Collection | Self::Item | Self::Folder1 | Self::Request1, "event" | "events") => {
                Self::Scripts
            }
            (Self::Script, "script") => Self::Source,
            (Self::Collection | Self::Item | Self::Folder1 | Self::Request1, "variable" | "variables") => {
                Self::Variables
            }
            (Self::Url, "variable" | "variables") => Self::PathVariables,
            (Self::Collection | Self::Item | Self::Request | Self::Folder1 | Self::Request1, "auth") => {
                Self::Auth
            }
            (Self::Request, "url") => Self::Url,
            (Self::Collection, "folders") => Self::Folders1,
            (Self::Collection, "requests") => Self::Requests1,
            (Self::Request1, "responses") => Self::Examples1,
            _ => Self::Plain,
        }
    }

    /// The place of an array's elements.
    pub(crate) fn element(self) -> Self {
        match self {
            Self::Items => Self::Item,
            Self::Examples => Self::Example,
            Self::Scripts => Self::Script,
            Self::Variables => Self::Variable,
            Self::PathVariables => Self::PathVariable,
            Self::Folders1 => Self::Folder1,
            Self::Requests1 => Self::Request1,
            Self::Examples1 => Self::Example1,
            _ => Self::Plain,
        }
    }

    /// Whether this is a list whose elements have a life of their own.
    pub(crate) fn is_list(self) -> bool {
        self.element() != Self::Plain && self != Self::PathVariables
    }

    /// The place of an object's inside: what is a list elsewhere is plain when it is an object.
    pub(crate) fn object(self) -> Self {
        if self.element() == Self::Plain { self } else { Self::Plain }
    }

    /// Whether the member `key` of an object here is generated. `has_key` says whether the object has a member `key`.
    pub(crate) fn generated(self, key: &str, has_key: bool) -> Option<Generated> {
        match (self, key) {
            (Self::Info, "id" | "_postman_id" | "uid")
            | (Self::Collection, "_postman_id" | "uid")
            | (Self::Item | Self::Example, "id" | "_postman_id" | "uid")
            | (Self::Hidden, "postman_id")
            | (Self::Script | Self::Source, "id") => Some(Generated::Id),
            (Self::Variable | Self::PathVariable, "id") if has_key => Some(Generated::Id),
            (
                Self::Collection | Self::Info | Self::Item | Self::Folder1 | Self::Request1,
                "updatedAt" | "createdAt" | "lastUpdatedBy",
            )
            | (Self::Example | Self::Example1, "responseTime") => Some(Generated::Stamp),
            _ => None,
        }
    }
}
