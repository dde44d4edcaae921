//! What people changed between two backups of a collection.

mod change;
mod fields;
mod hide;
mod matching;
mod order;
mod signs;

pub use self::change::{Change, Diff, FieldChange, How, What};
use self::{
    fields::{field_changes, raw},
    matching::Matches,
};
use crate::tree::{Index, Kind, Node, ROOT, Tree};

/// What changed between two collections.
///
/// Parts are the same part when they have the same id; when they have none or others, by where they are, their name,
/// method and address; and at last by likeness. Two collections with the same canonical hash have an empty difference.
///
/// Compare collections of different formats only after [`convert_to_v2_1`](crate::convert_to_v2_1): else every block of
/// authorization is another.
#[must_use]
pub fn diff(before: &Tree<'_>, after: &Tree<'_>) -> Diff {
    compare(before, after, Room { value: usize::MAX, parts: usize::MAX, texts: usize::MAX })
}

/// The same for people, who read the first changes: it cannot be applied. Values of more than 256 KiB are left out. It takes
/// memory for some 2 MiB of added parts and 4 MiB of all else; behind these, changes are only counted.
#[must_use]
pub fn diff_in_brief(before: &Tree<'_>, after: &Tree<'_>) -> Diff {
    compare(before, after, Room { value: 256 * 1024, parts: 2 * 1024 * 1024, texts: 4 * 1024 * 1024 })
}

/// How many bytes of a difference there is room for.
struct Room {
    /// For one value of a field.
    value: usize,
    /// For added parts.
    parts: usize,
    /// For names, places and fields.
    texts: usize,
}

fn compare(before: &Tree<'_>, after: &Tree<'_>, room: Room) -> Diff {
    let matches = matching::match_trees(before, after);
    let mut differ = Differ { before, after, matches, diff: Diff::default(), room };
    for index in after.preorder() {
        match differ.matches.before(index) {
            Some(earlier) => differ.kept(earlier, index),
            None => differ.added(index),
        }
    }
    for index in before.preorder() {
        if differ.matches.after(index).is_none() {
            differ.removed(index);
        }
    }
    differ.diff
}

struct Differ<'t, 'a, 'b> {
    before: &'t Tree<'a>,
    after: &'t Tree<'b>,
    matches: Matches,
    diff: Diff,
    /// What is left of it.
    room: Room,
}

impl Differ<'_, '_, '_> {
    /// Takes a change, or counts it when there is no more room.
    fn push(&mut self, how: How, what: What, change: impl FnOnce(&mut Self, How, What) -> Change) {
        if self.room.texts == 0 {
            *self.diff.counted.entry((what, how)).or_default() += 1;
            return;
        }
        let change = change(self, how, what);
        self.room.texts = self.room.texts.saturating_sub(change.bytes());
        self.diff.changes.push(change);
    }

    fn added(&mut self, index: Index) {
        let node = self.after.node(index);
        // What is new in a new request is part of its value.
        if !node.is_item() && self.matches.before(node.parent).is_none() {
            return;
        }
        self.push(How::Added, node.kind.into(), |differ, how, what| {
            let value = node.without_items(differ.room.parts).and_then(raw);
            differ.room.parts -= value.as_ref().map_or(0, |value| value.get().len());
            let to = Some(differ.after.pointer(index));
            Change { to, value, ..Change::new(how, what, differ.after.names(index)) }
        });
    }

    fn removed(&mut self, index: Index) {
        let node = self.before.node(index);
        if !node.is_item() && self.matches.after(node.parent).is_none() {
            return;
        }
        self.push(How::Removed, node.kind.into(), |differ, how, what| {
            let from = Some(differ.before.pointer(index));
            Change { from, ..Change::new(how, what, differ.before.names(index)) }
        });
    }

    fn kept(&mut self, earlier: Index, index: Index) {
        let (before, after) = (self.before.node(earlier), self.after.node(index));
        let change = |differ: &Self, how, what| Change {
            secret: before.is_secret() || after.is_secret(),
            from: Some(differ.before.pointer(earlier)),
            ..Change::new(how, what, differ.after.names(index))
        };
        if index != ROOT {
            if !self.matches.stays(self.before, self.after, earlier, index) {
                self.push(How::Moved, after.kind.into(), |differ, how, what| {
                    let was = Some(differ.before.names(earlier));
                    Change { to: Some(differ.after.pointer(index)), was, ..change(differ, how, what) }
                });
            } else if self.matches.is_reordered(index) {
                self.push(How::Reordered, after.kind.into(), |differ, how, what| Change {
                    to: Some(differ.after.pointer(index)),
                    ..change(differ, how, what)
                });
            }
        }
        if self.matches.is_same(index) {
            return;
        }
        let (mut auth, mut other) = (Vec::new(), Vec::new());
        for field in field_changes(&before, &after, self.room.value) {
            if field.path == before.name_pointer() && field.before.is_some() && field.after.is_some() {
                self.push(How::Renamed, after.kind.into(), |differ, how, what| Change {
                    fields: vec![field],
                    ..change(differ, how, what)
                });
            } else if field.is_auth() {
                auth.push(field);
            } else {
                other.push(field);
            }
        }
        if !auth.is_empty() {
            let whole = |field: &FieldChange| field.path == "/auth" || field.path == "/request/auth";
            let how = match &auth[..] {
                [FieldChange { before: None, after: None, .. }] => How::Changed,
                [only] if whole(only) && only.before.is_none() => How::Added,
                [only] if whole(only) && only.after.is_none() => How::Removed,
                _ => How::Changed,
            };
            self.push(how, What::Auth, |differ, how, what| Change {
                fields: auth,
                ..change(differ, how, what)
            });
        }
        if !other.is_empty() {
            self.push(How::Changed, after.kind.into(), |differ, how, what| Change {
                fields: other,
                ..change(differ, how, what)
            });
        }
    }
}

impl Node<'_, '_> {
    /// Whether it is a folder or request, or stands among them: what has a place of its own wherever its parent goes.
    pub(crate) fn is_item(&self) -> bool {
        is_item_list(self.list)
    }

    /// Whether it is a variable whose value nobody should see.
    fn is_secret(&self) -> bool {
        self.kind == Kind::Variable && self.value("type") == Some("\"secret\"")
    }

    /// Its text, and an empty list in place of the folders and requests in it; `None` when that is longer than `most`.
    fn without_items(&self, most: usize) -> Option<String> {
        if self.kind != Kind::Folder || !self.parts().any(|part| part.content.list().is_some()) {
            return (self.text.len() <= most).then(|| self.text.to_owned());
        }
        let mut text = String::from("{");
        for member in crate::json::members(self.text).unwrap_or_default() {
            if text.len() > 1 {
                text.push(',');
            }
            let value = if member.key == "item" { "[]" } else { member.value };
            if value.len() > most {
                return None;
            }
            text.push_str(&crate::json::quoted(&member.key));
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        (text.len() <= most).then_some(text)
    }
}

fn is_item_list(key: &str) -> bool {
    matches!(key, "item" | "folders" | "requests")
}

impl From<Kind> for What {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Collection => Self::Collection,
            Kind::Folder => Self::Folder,
            Kind::Request => Self::Request,
            Kind::Example => Self::Example,
            Kind::Script => Self::Script,
            Kind::Variable => Self::Variable,
            Kind::Odd => Self::Element,
        }
    }
}

#[cfg(test)]
mod tests;
