//! What differs between two states of one part, member by member.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::FieldChange;
use crate::{
    canonical::same,
    json::members,
    place::Place,
    tree::{Content, Node, escaped},
};

/// What differs, without what Postman generates. Objects are gone into, arrays are compared as a whole. The parts in the
/// lists of a node are nodes of their own; of the lists only matters whether they are there. A field of which a value is
/// longer than `most` bytes has none.
pub(super) fn field_changes(before: &Node<'_, '_>, after: &Node<'_, '_>, most: usize) -> Vec<FieldChange> {
    let mut found = Found { changes: Vec::new(), most };
    compare_members("", &before.texts(), &after.texts(), after.place, &mut found);
    found.changes
}

struct Found {
    changes: Vec<FieldChange>,
    most: usize,
}

fn compare_members<'a>(
    path: &str,
    before: &[(&'a str, &'a str)],
    after: &[(&'a str, &'a str)],
    place: Place,
    found: &mut Found,
) {
    let [earlier, later]: [HashMap<&str, &str>; 2] =
        [before, after].map(|members| members.iter().copied().collect());
    let has_key = later.contains_key("key");
    let new = after.iter().filter(|(key, _)| !earlier.contains_key(key));
    for &(key, _) in before.iter().chain(new) {
        // What is generated in the first state only is what people chose in the second.
        if place.generated(key, has_key).is_none() {
            let path = format!("{path}/{}", escaped(key));
            compare(path, earlier.get(key).copied(), later.get(key).copied(), place.member(key), found);
        }
    }
}

/// Nobody wants to read what changed in more members than these one by one.
const MEMBERS_MAX: usize = 1000;

fn compare(path: String, before: Option<&str>, after: Option<&str>, place: Place, found: &mut Found) {
    if let (Some(before), Some(after)) = (before, after) {
        if same(before, after, place) {
            return;
        }
        if let (Some(before), Some(after)) = (members(before), members(after))
            && before.len().max(after.len()) <= MEMBERS_MAX
        {
            let [before, after] = [&before, &after]
                .map(|members| members.iter().map(|member| (&*member.key, member.value)).collect::<Vec<_>>());
            return compare_members(&path, &before, &after, place.object(), found);
        }
    }
    let is_long = [before, after].into_iter().flatten().any(|value| value.len() > found.most);
    let [before, after] = [before, after].map(|value| value.filter(|_| !is_long).and_then(raw));
    found.changes.push(FieldChange { path, before, after });
}

/// A value with this text. All texts were read as JSON before.
pub(super) fn raw(text: impl Into<String>) -> Option<Box<RawValue>> {
    RawValue::from_string(text.into()).ok()
}

impl<'t, 'a: 't> Node<'t, 'a> {
    fn texts(&self) -> Vec<(&'t str, &'t str)> {
        self.parts().map(|part| (part.key, part.content.own_text())).collect()
    }
}

impl<'a> Content<'_, 'a> {
    /// Of a list without the parts in it, which are looked at one by one.
    pub(crate) fn own_text(&self) -> &'a str {
        match self {
            Self::Value(text) => text,
            Self::List(_) => "[]",
        }
    }
}
