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
use crate::tree::{Content, Index, Kind, Node, ROOT, Tree};

/// What changed between two collections.
///
/// Parts are the same part when they have the same id; when they have none or others, by where they are, their name,
/// method and address; and at last by likeness. Two collections with the same canonical hash have an empty difference.
///
/// Compare collections of different formats only after [`convert_to_v2_1`](crate::convert_to_v2_1): else every block of
/// authorization is another.
#[must_use]
pub fn diff(before: &Tree<'_>, after: &Tree<'_>) -> Diff {
    let matches = matching::match_trees(before, after);
    let mut differ = Differ { before, after, matches, changes: Vec::new() };
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
    Diff { changes: differ.changes }
}

struct Differ<'t, 'a, 'b> {
    before: &'t Tree<'a>,
    after: &'t Tree<'b>,
    matches: Matches,
    changes: Vec<Change>,
}

impl Differ<'_, '_, '_> {
    fn added(&mut self, index: Index) {
        let node = &self.after.nodes[index];
        // What is new in a new request is part of its value.
        if !node.is_item() && self.matches.before(node.parent).is_none() {
            return;
        }
        self.changes.push(Change {
            to: Some(self.after.pointer(index)),
            value: raw(&node.without_items()),
            ..Change::new(How::Added, node.kind.into(), self.after.names(index))
        });
    }

    fn removed(&mut self, index: Index) {
        let node = &self.before.nodes[index];
        if !node.is_item() && self.matches.after(node.parent).is_none() {
            return;
        }
        self.changes.push(Change {
            from: Some(self.before.pointer(index)),
            ..Change::new(How::Removed, node.kind.into(), self.before.names(index))
        });
    }

    fn kept(&mut self, earlier: Index, index: Index) {
        let (before, after) = (&self.before.nodes[earlier], &self.after.nodes[index]);
        let (place, from) = (self.after.names(index), self.before.pointer(earlier));
        let secret = before.is_secret() || after.is_secret();
        let change =
            |how, what| Change { secret, from: Some(from.clone()), ..Change::new(how, what, place.clone()) };
        if index != ROOT {
            let to = Some(self.after.pointer(index));
            if !self.matches.stays(self.before, self.after, earlier, index) {
                let was = Some(self.before.names(earlier));
                self.changes.push(Change { to, was, ..change(How::Moved, after.kind.into()) });
            } else if self.matches.is_reordered(index) {
                self.changes.push(Change { to, ..change(How::Reordered, after.kind.into()) });
            }
        }
        if self.matches.is_same(index) {
            return;
        }
        let (mut auth, mut other) = (Vec::new(), Vec::new());
        for field in field_changes(before, after) {
            if field.path == before.name_pointer() && field.before.is_some() && field.after.is_some() {
                self.changes.push(Change { fields: vec![field], ..change(How::Renamed, after.kind.into()) });
            } else if field.is_auth() {
                auth.push(field);
            } else {
                other.push(field);
            }
        }
        if !auth.is_empty() {
            let whole = |field: &FieldChange| field.path == "/auth" || field.path == "/request/auth";
            let how = match &auth[..] {
                [only] if whole(only) && only.before.is_none() => How::Added,
                [only] if whole(only) && only.after.is_none() => How::Removed,
                _ => How::Changed,
            };
            self.changes.push(Change { fields: auth, ..change(how, What::Auth) });
        }
        if !other.is_empty() {
            self.changes.push(Change { fields: other, ..change(How::Changed, after.kind.into()) });
        }
    }
}

impl Node<'_> {
    /// Whether it is a folder or request, or stands among them: what has a place of its own wherever its parent goes.
    pub(crate) fn is_item(&self) -> bool {
        is_item_list(&self.list)
    }

    /// Whether it is a variable whose value nobody should see.
    fn is_secret(&self) -> bool {
        self.kind == Kind::Variable && self.value("type") == Some("\"secret\"")
    }

    /// Its text, and an empty list in place of the folders and requests in it.
    fn without_items(&self) -> String {
        if self.kind != Kind::Folder
            || !self.members.iter().any(|part| matches!(part.content, Content::List(_)))
        {
            return self.text.to_owned();
        }
        let mut text = String::from("{");
        for member in crate::json::members(self.text).unwrap_or_default() {
            if text.len() > 1 {
                text.push(',');
            }
            let value = if member.key == "item" { "[]" } else { member.value };
            text.push_str(&crate::json::quoted(&member.key));
            text.push(':');
            text.push_str(value);
        }
        text.push('}');
        text
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
