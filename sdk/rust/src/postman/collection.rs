//! A whole collection.

use std::{fmt, ops::Range};

use super::{
    fields::{Fields, top_level, with_mark},
    id::without_owner,
};

/// A whole collection, as a slice of the body: collections reach many megabytes and are not built up as a tree.
///
/// ```
/// use postroom_sdk::{Bytes, CollectionBackup, Event};
///
/// /// The collection alone, to be moved elsewhere without a copy.
/// fn content(event: &Event, backup: &CollectionBackup<'_>) -> Bytes {
///     event.shared_body().slice_ref(backup.bytes())
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CollectionBackup<'a> {
    bytes: &'a [u8],
    id: Option<String>,
    name: Option<String>,
}

/// Where an id may stand, best first.
const IDS: &[&str] = &["_postman_id", "uid", "id"];
/// What is read of `info`, and of the root for format v1, which has no `info`.
const HEAD: &[&str] = &["_postman_id", "uid", "id", "name", "info"];

impl<'a> CollectionBackup<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        top_level(body, &["collection"], |top, json| {
            let collection = top.json("collection")?;
            let root = Fields::read(collection, HEAD)?;
            let info = root.object("info", HEAD);
            let id = [&info, &root].into_iter().find_map(|place| IDS.iter().find_map(|key| place.text(key)));
            let name = info.text("name").or_else(|| root.text("name"));
            Some(Self {
                bytes: body.get(place_of(collection, json, body)?)?,
                id: id.map(|id| without_owner(&id).to_owned()),
                name: name.map(|name| name.trim().to_owned()),
            })
        })?
    }

    /// The collection exactly as it was sent, a byte order mark directly before it included.
    #[must_use]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The collection's id without owner prefix: `info._postman_id`, `info.uid`, `info.id`, or the same of the root.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The collection's name without blanks round it; names are not unique.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

/// Where `value`, a slice of `json`, stands in `body`, which has the same offsets.
fn place_of(value: &str, json: &str, body: &[u8]) -> Option<Range<usize>> {
    let start = (value.as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
    Some(with_mark(body, start)..start + value.len())
}

impl fmt::Debug for CollectionBackup<'_> {
    /// Without the collection, whose variables may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectionBackup")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}
