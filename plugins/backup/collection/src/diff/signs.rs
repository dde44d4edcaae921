//! By what a part is known again: hashes of its name, its address, its content.

use std::{
    cell::RefCell,
    hash::{DefaultHasher, Hasher},
};

use sha2::{Digest, Sha256};

use crate::{
    canonical::{Hash, digest},
    json::{lossy, member, members},
    place::Place,
    tree::{Content, Index, Kind, ROOT, Tree},
};

/// What is known of the parts of one collection. A hash that two parts share by chance costs a worse match and nothing
/// else: whatever is matched, the difference is right.
pub(super) struct Signs<'t, 'a> {
    pub(super) tree: &'t Tree<'a>,
    /// Of the names down to each node.
    paths: Vec<u64>,
    /// What each node says, once somebody asked.
    contents: RefCell<Vec<Option<Hash>>>,
}

pub(super) fn sign(of: impl std::hash::Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

impl<'t, 'a> Signs<'t, 'a> {
    pub(super) fn new(tree: &'t Tree<'a>, order: &[Index]) -> Self {
        let mut paths = vec![0; tree.len()];
        for &index in order.iter().filter(|&&index| index != ROOT) {
            let node = tree.node(index);
            // The name of the collection is not part of the way.
            let above = if node.parent == ROOT { 0 } else { paths[node.parent] };
            paths[index] = sign((above, node.kind, node.list, node.written_name()));
        }
        Self { tree, paths, contents: RefCell::new(vec![None; tree.len()]) }
    }

    /// Where it is, by names, and its own name.
    pub(super) fn path(&self, index: Index) -> u64 {
        self.paths[index]
    }

    pub(super) fn id(&self, index: Index) -> Option<u64> {
        self.tree.node(index).id().map(sign)
    }

    pub(super) fn name(&self, index: Index) -> u64 {
        sign(self.tree.node(index).written_name())
    }

    /// Everything that it says, as the parts in it say it: no text is hashed twice.
    pub(super) fn content(&self, index: Index) -> Hash {
        if let Some(content) = self.contents.borrow()[index] {
            return content;
        }
        let node = self.tree.node(index);
        let mut hash = Sha256::new();
        if node.parts().next().is_none() {
            hash.update(digest(node.text, node.place));
        }
        let has_key = node.parts().any(|part| part.key == "key");
        let mut members: Vec<_> = node.parts().collect();
        members.sort_by(|one, other| one.key.cmp(other.key));
        for part in members {
            if node.place.generated(part.key, has_key).is_some() {
                continue;
            }
            hash.update(part.key.as_bytes());
            hash.update([0xff]);
            match part.content {
                Content::Value(value) => {
                    hash.update(b"v");
                    hash.update(digest(value, node.place.member(part.key)));
                }
                Content::List(list) => {
                    hash.update(b"l");
                    hash.update(list.len().to_le_bytes());
                    list.iter().for_each(|child| hash.update(self.content(child)));
                }
            }
        }
        let content = hash.finalize().into();
        self.contents.borrow_mut()[index] = Some(content);
        content
    }

    /// Everything but its name and the parts in it; `None` when that says next to nothing.
    pub(super) fn inside(&self, index: Index) -> Option<u64> {
        let node = self.tree.node(index);
        let name = node.name_pointer();
        let has_key = node.value("key").is_some();
        let mut told = Vec::new();
        for part in node.parts() {
            let generated = node.place.generated(part.key, has_key).is_some();
            if let (Content::Value(value), false) = (part.content, generated || &name[1..] == part.key) {
                told.push((part.key, digest(value, node.place.member(part.key))));
            }
        }
        told.sort_unstable();
        (!told.is_empty()).then(|| sign(told))
    }

    /// What is sent where.
    pub(super) fn address(&self, index: Index) -> Option<u64> {
        let node = self.tree.node(index);
        match node.kind {
            Kind::Request if node.place == Place::Request1 => {
                Some(sign((node.value("method").and_then(lossy), node.value("url").and_then(lossy))))
            }
            Kind::Request => {
                let request = node.value("request")?;
                if request.starts_with('"') {
                    return Some(sign((None::<&str>, lossy(request))));
                }
                let url = member(request, "url");
                let raw = url.and_then(|url| lossy(url).or_else(|| lossy(member(url, "raw")?)));
                Some(sign((member(request, "method").and_then(lossy), raw)))
            }
            Kind::Example => node.value("code").map(sign),
            _ => None,
        }
    }

    /// Pairs of where something stands and what it says, each with how much that tells; for likeness.
    pub(super) fn traits(&self, index: Index) -> Vec<(u64, f32)> {
        /// Longer values are hardly the same by chance.
        const TELLING_BYTES: usize = 12;
        let node = self.tree.node(index);
        let mut traits = Vec::new();
        let weighed = |key: &str, value: &str, place: Place| {
            let weight = if value.len() > TELLING_BYTES { 1.0 } else { 0.25 };
            (sign((key, digest(value, place))), weight)
        };
        for part in node.parts() {
            let place = node.place.member(part.key);
            match part.content {
                Content::Value(value) if place == Place::Request => {
                    for member in members(value).unwrap_or_default() {
                        traits.push(weighed(&member.key, member.value, place.member(&member.key)));
                    }
                }
                Content::Value(value) if node.place.generated(part.key, false).is_none() => {
                    traits.push(weighed(part.key, value, place));
                }
                Content::Value(_) => {}
                Content::List(list) => {
                    for child in list.iter() {
                        let child = self.tree.node(child);
                        // Of what is in a folder, the names are enough.
                        let told = if child.is_item() {
                            sign(("item", child.written_name()))
                        } else {
                            sign((part.key, digest(child.text, child.place)))
                        };
                        traits.push((told, 1.0));
                    }
                }
            }
        }
        traits.sort_by_key(|(sign, _)| *sign);
        traits.dedup_by_key(|(sign, _)| *sign);
        traits
    }
}

/// How much of what two parts say is the same, from 0 to 1.
pub(super) fn likeness(one: &[(u64, f32)], other: &[(u64, f32)]) -> f32 {
    let (mut at, mut common) = (0, 0.0);
    for (sign, weight) in one {
        while other.get(at).is_some_and(|(other, _)| other < sign) {
            at += 1;
        }
        if other.get(at).is_some_and(|(other, _)| other == sign) {
            common += weight;
        }
    }
    let all: f32 = one.iter().chain(other).map(|(_, weight)| weight).sum::<f32>() - common;
    if all > 0.0 { common / all } else { 0.0 }
}
