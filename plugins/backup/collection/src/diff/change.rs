//! The parts of a difference.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// What changed between two collections. Applied to the first, it gives the second.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Diff {
    pub changes: Vec<Change>,
    /// How many there are beside those.
    #[serde(skip)]
    pub(crate) counted: BTreeMap<(What, How), usize>,
}

/// One change to one part of a collection. A part that was moved and renamed and edited has three.
#[derive(Clone, Serialize, Deserialize)]
pub struct Change {
    pub how: How,
    pub what: What,
    /// The names from the top of the collection down to the part, as they are afterwards; before, if it was removed.
    pub place: Vec<String>,
    /// Where a moved part was, in names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Vec<String>>,
    /// JSON pointer of the part in the first collection; empty for the collection itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// JSON pointer in the second collection, of a part that is new there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Whether the part is a variable that is marked as a secret.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub secret: bool,
    /// What is different inside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// An added part as it is. The folders and requests in an added folder are changes of their own.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub value: Option<Box<RawValue>>,
}

/// How a part changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    Added,
    Removed,
    Renamed,
    /// To another folder.
    Moved,
    /// Within its list.
    Reordered,
    Changed,
}

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    Collection,
    Folder,
    Request,
    Example,
    Script,
    /// The authorization of the collection, a folder or a request.
    Auth,
    Variable,
    /// What stands among the parts and is none of them.
    Element,
}

/// One member that is different.
#[derive(Clone, Serialize, Deserialize)]
pub struct FieldChange {
    /// JSON pointer from the part on.
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub before: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub after: Option<Box<RawValue>>,
}

/// A value that is `null` is there.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Box<RawValue>>, D::Error> {
    Box::<RawValue>::deserialize(deserializer).map(Some)
}

/// The values may be secrets: these show where something changed, and not what.
impl fmt::Debug for Diff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.changes).finish()
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?} {:?} {:?} {:?} {:?}", self.how, self.what, self.from, self.to, self.fields)
    }
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.path)
    }
}

impl Diff {
    /// Whether people changed nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.counted.is_empty()
    }

    /// How many changes are counted only, of a difference in brief.
    #[must_use]
    pub fn counted(&self) -> usize {
        self.counted.values().sum()
    }
}

impl Change {
    pub(crate) fn new(how: How, what: What, place: Vec<String>) -> Self {
        Self {
            how,
            what,
            place,
            was: None,
            from: None,
            to: None,
            secret: false,
            fields: Vec::new(),
            value: None,
        }
    }

    /// How much memory it takes, without its value.
    pub(super) fn bytes(&self) -> usize {
        let names = self.place.iter().chain(self.was.iter().flatten());
        let texts = names.chain(&self.from).chain(&self.to).map(|text| size_of::<String>() + text.len());
        let fields = self.fields.iter().map(|field| {
            let values = [&field.before, &field.after].into_iter().flatten().map(|value| value.get().len());
            size_of::<FieldChange>() + field.path.len() + values.sum::<usize>()
        });
        size_of::<Self>() + texts.chain(fields).sum::<usize>()
    }
}

impl FieldChange {
    pub(crate) fn is_auth(&self) -> bool {
        let inside =
            |auth| self.path.strip_prefix(auth).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside("/auth") || inside("/request/auth")
    }
}
