//! Which part of the second collection is which part of the first.
//!
//! Whatever is matched, the difference is right; a better match only makes it shorter.

use super::{
    is_item_list,
    order::keeps_order,
    signs::{Signs, likeness, sign},
};
use crate::tree::{Content, Index, Kind, List, ROOT, Tree};

/// At least so much must be the same for two parts to be one.
const ALIKE: f32 = 0.5;

/// Beyond so many pairs nobody compares each with each.
const PAIRS_MAX: usize = 20_000;

/// Pairs of parts that are the same.
pub(super) struct Matches {
    afters: Vec<Option<Index>>,
    befores: Vec<Option<Index>>,
    reordered: Vec<bool>,
    /// Of the second collection: what says the same as before, with all that is in it.
    same: Vec<bool>,
}

impl Matches {
    /// What became of a part of the first collection.
    pub(super) fn after(&self, before: Index) -> Option<Index> {
        self.afters[before]
    }

    /// What a part of the second collection was.
    pub(super) fn before(&self, after: Index) -> Option<Index> {
        self.befores[after]
    }

    /// Whether a part is still in the list that it was in.
    pub(super) fn stays(
        &self,
        before_tree: &Tree<'_>,
        after_tree: &Tree<'_>,
        before: Index,
        after: Index,
    ) -> bool {
        let (before, after) = (before_tree.node(before), after_tree.node(after));
        before.list == after.list && self.befores[after.parent] == Some(before.parent)
    }

    /// Whether a part of the second collection says what it said, with all that is in it.
    pub(super) fn is_same(&self, after: Index) -> bool {
        self.same[after]
    }

    /// Whether a part of the second collection stays in its list, but not in its order.
    pub(super) fn is_reordered(&self, after: Index) -> bool {
        self.reordered[after]
    }
}

pub(super) fn match_trees(before: &Tree<'_>, after: &Tree<'_>) -> Matches {
    let (before_order, after_order) = (before.preorder(), after.preorder());
    let mut matcher = Matcher {
        before: Signs::new(before, &before_order),
        after: Signs::new(after, &after_order),
        matches: Matches {
            afters: vec![None; before.len()],
            befores: vec![None; after.len()],
            reordered: vec![false; after.len()],
            same: vec![false; after.len()],
        },
    };
    matcher.link(ROOT, ROOT);
    matcher.items(&before_order, &after_order);
    for index in after_order {
        if let Some(earlier) = matcher.matches.before(index) {
            matcher.parts(earlier, index);
            matcher.order(earlier, index);
        }
    }
    matcher.matches
}

struct Matcher<'t, 'a, 'b> {
    before: Signs<'t, 'a>,
    after: Signs<'t, 'b>,
    matches: Matches,
}

type Sets = [Vec<Index>; 2];

impl Matcher<'_, '_, '_> {
    /// Folders and requests, wherever they are.
    fn items(&mut self, before_order: &[Index], after_order: &[Index]) {
        let items = |tree: &Tree<'_>, order: &[Index]| -> Vec<Index> {
            order.iter().copied().filter(|&index| tree.node(index).is_item()).collect()
        };
        let mut open = [items(self.before.tree, before_order), items(self.after.tree, after_order)];
        self.pair_only(&mut open, |signs, index| signs.id(index));
        self.pair(&mut open, |signs, index| Some((signs.path(index), signs.content(index))));
        self.pair(&mut open, |signs, index| Some((signs.path(index), signs.address(index))));
        self.pair(&mut open, |signs, index| Some((signs.name(index), signs.content(index))));
        self.folders(&mut open);
        for &index in after_order {
            if let Some(earlier) = self.matches.before(index).filter(|_| !self.matches.is_same(index)) {
                self.children(earlier, index);
            }
        }
        self.left(&mut open);
        self.pair_only(&mut open, |signs, index| {
            signs.address(index).map(|address| (signs.name(index), address))
        });
    }

    /// Folders that have other names and other ids, by what is in them.
    fn folders(&mut self, open: &mut Sets) {
        self.left(open);
        let folders = |signs: &Signs<'_, '_>, open: &[Index]| -> Vec<Index> {
            open.iter().copied().filter(|&index| signs.tree.node(index).kind == Kind::Folder).collect()
        };
        let folders = [folders(&self.before, &open[0]), folders(&self.after, &open[1])];
        self.alike(folders);
    }

    /// What is in two folders that are one.
    fn children(&mut self, earlier: Index, later: Index) {
        let items = |tree: &Tree<'_>, index: Index| -> Vec<Index> {
            let lists = tree.node(index).parts().filter_map(|part| part.content.list());
            lists.flat_map(List::iter).filter(|&child| tree.node(child).is_item()).collect()
        };
        let mut open = [items(self.before.tree, earlier), items(self.after.tree, later)];
        self.pair(&mut open, |signs, index| Some((signs.name(index), signs.address(index))));
        self.pair(&mut open, |signs, index| signs.inside(index));
        self.pair(&mut open, |signs, index| Some(signs.name(index)));
        self.alike(open);
    }

    /// Examples, scripts and variables of two parts that are one.
    fn parts(&mut self, earlier: Index, later: Index) {
        let (before, after) = (self.before.tree, self.after.tree);
        for part in after.node(later).parts() {
            let (Content::List(list), Some(earlier_list)) =
                (part.content, before.node(earlier).list(part.key))
            else {
                continue;
            };
            if is_item_list(part.key) {
                continue;
            }
            let mut open = [earlier_list, list].map(|list| list.iter().collect());
            self.pair_only(&mut open, |signs, index| signs.id(index));
            self.pair(&mut open, |signs, index| Some(signs.content(index)));
            self.pair(&mut open, |signs, index| Some((signs.name(index), signs.address(index))));
            self.pair(&mut open, |signs, index| Some(signs.name(index)));
            self.pair(&mut open, |signs, index| signs.inside(index));
            self.alike(open);
        }
    }

    /// Finds out what of two lists goes around the rest.
    fn order(&mut self, earlier: Index, later: Index) {
        for part in self.after.tree.node(later).parts() {
            let Content::List(list) = part.content else { continue };
            let stays = list.iter().filter_map(|index| {
                let earlier_child = self.matches.before(index)?;
                let node = self.before.tree.node(earlier_child);
                (node.parent == earlier && node.list == part.key).then_some((index, node.position))
            });
            let (indexes, positions): (Vec<Index>, Vec<usize>) = stays.unzip();
            for (index, keeps) in indexes.into_iter().zip(keeps_order(&positions)) {
                self.matches.reordered[index] = !keeps;
            }
        }
    }

    /// Matches those with equal keys, in the order in which they stand.
    fn pair<K: std::hash::Hash>(
        &mut self,
        open: &mut Sets,
        key: impl Fn(&Signs<'_, '_>, Index) -> Option<K>,
    ) {
        self.pair_by(open, key, false);
    }

    /// Matches those with equal keys when there is one on each side.
    fn pair_only<K: std::hash::Hash>(
        &mut self,
        open: &mut Sets,
        key: impl Fn(&Signs<'_, '_>, Index) -> Option<K>,
    ) {
        self.pair_by(open, key, true);
    }

    fn pair_by<K: std::hash::Hash>(
        &mut self,
        open: &mut Sets,
        key: impl Fn(&Signs<'_, '_>, Index) -> Option<K>,
        only: bool,
    ) {
        self.left(open);
        if open.iter().any(Vec::is_empty) {
            return;
        }
        // By key, and with the same key in the order in which they stand: lists need less memory than tables.
        let keys = |signs: &Signs<'_, '_>, open: &[Index]| -> Vec<(u64, usize)> {
            let kind = |index: Index| signs.tree.node(index).kind;
            let key = |index: Index| Some(sign((kind(index), key(signs, index)?)));
            let keys = open.iter().enumerate().filter_map(|(at, &index)| Some((key(index)?, at)));
            let mut keys: Vec<_> = keys.collect();
            keys.sort_unstable();
            keys
        };
        let (befores, afters) = (keys(&self.before, &open[0]), keys(&self.after, &open[1]));
        let (mut pairs, mut left) = (Vec::new(), &afters[..]);
        for group in befores.chunk_by(|one, other| one.0 == other.0) {
            left = &left[left.partition_point(|(key, _)| *key < group[0].0)..];
            let same = &left[..left.partition_point(|(key, _)| *key == group[0].0)];
            if !only || (group.len() == 1 && same.len() == 1) {
                pairs.extend(group.iter().zip(same).map(|((_, before), (_, after))| (*before, *after)));
            }
        }
        pairs.sort_unstable();
        for (before, after) in pairs {
            self.link(open[0][before], open[1][after]);
        }
    }

    /// Matches those that are most alike.
    fn alike(&mut self, mut open: Sets) {
        self.left(&mut open);
        if open.iter().any(Vec::is_empty) || open[0].len() * open[1].len() > PAIRS_MAX {
            return;
        }
        let befores: Vec<_> = open[0].iter().map(|&index| self.before.traits(index)).collect();
        let afters: Vec<_> = open[1].iter().map(|&index| self.after.traits(index)).collect();
        let mut pairs = Vec::new();
        for (one, before) in befores.iter().enumerate() {
            for (other, after) in afters.iter().enumerate() {
                let likeness = likeness(before, after);
                if likeness >= ALIKE {
                    pairs.push((likeness, open[0][one], open[1][other]));
                }
            }
        }
        pairs.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (_, before, after) in pairs {
            self.link(before, after);
        }
    }

    /// Leaves those that are not matched yet.
    fn left(&self, open: &mut Sets) {
        open[0].retain(|&index| self.matches.after(index).is_none());
        open[1].retain(|&index| self.matches.before(index).is_none());
    }

    fn link(&mut self, before: Index, after: Index) {
        let (earlier, later) = (self.before.tree.node(before), self.after.tree.node(after));
        let is_free = self.matches.after(before).is_none() && self.matches.before(after).is_none();
        // What is no object has nothing inside that could change.
        let fits = earlier.kind == later.kind
            && earlier.place == later.place
            && earlier.list == later.list
            && (earlier.kind != Kind::Odd || self.before.content(before) == self.after.content(after));
        if !is_free || !fits {
            return;
        }
        self.matches.afters[before] = Some(after);
        self.matches.befores[after] = Some(before);
        // The collections themselves differ nearly always, and hashing them would be hashing everything.
        let says_the_same = earlier.text == later.text
            || (after != ROOT && self.before.content(before) == self.after.content(after));
        if says_the_same {
            self.link_all(before, after);
        }
    }

    /// Matches all that is in two parts that say the same, unless something of it is matched already.
    fn link_all(&mut self, before: Index, after: Index) {
        let (earlier, later) = (self.before.tree.node(before), self.after.tree.node(after));
        let mut all = true;
        for part in later.parts() {
            let (Content::List(afters), Some(befores)) = (part.content, earlier.list(part.key)) else {
                continue;
            };
            for (before, after) in befores.iter().zip(afters.iter()) {
                if self.matches.after(before).is_none() && self.matches.before(after).is_none() {
                    self.matches.afters[before] = Some(after);
                    self.matches.befores[after] = Some(before);
                    self.link_all(before, after);
                }
                all &= self.matches.after(before) == Some(after) && self.matches.is_same(after);
            }
        }
        self.matches.same[after] = all;
    }
}
