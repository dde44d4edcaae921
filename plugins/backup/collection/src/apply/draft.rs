//! A collection that is being changed.

use std::{borrow::Cow, collections::BTreeSet};

use super::{ApplyError, Step};
use crate::{
    canonical::same,
    diff::FieldChange,
    json::{members, quoted},
    place::Place,
    tree::{Content, Index, ROOT, Tree, segments},
};

pub(super) struct Draft<'a> {
    nodes: Vec<Part<'a>>,
    /// Whose lists have something that was taken out.
    cleared: BTreeSet<Index>,
}

/// A node that may be another than its text says.
struct Part<'a> {
    place: Place,
    text: &'a str,
    parent: Index,
    members: Vec<(String, Inside<'a>)>,
    is_changed: bool,
    is_detached: bool,
}

enum Inside<'a> {
    Value(Cow<'a, str>),
    List(Vec<Index>),
}

impl<'a> Draft<'a> {
    pub(super) fn new(tree: Tree<'a>) -> Self {
        let mut draft = Self { nodes: Vec::new(), cleared: BTreeSet::new() };
        draft.take(&tree);
        draft
    }

    /// Takes the nodes of a tree behind those that are there; gives the place of the topmost.
    fn take(&mut self, tree: &Tree<'a>) -> Index {
        let offset = self.nodes.len();
        self.nodes.extend((0..tree.len()).map(|index| {
            let node = tree.node(index);
            let members = node.parts().map(|part| {
                let inside = match part.content {
                    Content::Value(text) => Inside::Value(Cow::Borrowed(text)),
                    Content::List(list) => Inside::List(list.iter().map(|index| index + offset).collect()),
                };
                (part.key.to_owned(), inside)
            });
            Part {
                place: node.place,
                text: node.text,
                parent: node.parent + offset,
                members: members.collect(),
                is_changed: false,
                is_detached: false,
            }
        }));
        offset
    }

    /// Takes a part out of its list, once the lists are cleared.
    pub(super) fn detach(&mut self, index: Index) {
        self.nodes[index].is_detached = true;
        let parent = self.nodes[index].parent;
        self.cleared.insert(parent);
        self.mark(parent);
    }

    /// Clears the lists of what was taken out.
    pub(super) fn clear(&mut self) {
        for parent in std::mem::take(&mut self.cleared) {
            let mut members = std::mem::take(&mut self.nodes[parent].members);
            for (_, inside) in &mut members {
                if let Inside::List(list) = inside {
                    list.retain(|&index| !self.nodes[index].is_detached);
                }
            }
            self.nodes[parent].members = members;
        }
    }

    /// Changes a member of a part.
    pub(super) fn edit(&mut self, index: Index, field: &'a FieldChange) -> Result<(), ApplyError> {
        let steps: Vec<Cow<'_, str>> = segments(&field.path).collect();
        let [key, below @ ..] = &steps[..] else { return Err(differs(field)) };
        let node = &mut self.nodes[index];
        let inside = node.place.member(key);
        let at = node.members.iter().position(|(name, _)| name == key);
        let current = match at.map(|at| &node.members[at].1) {
            Some(Inside::List(list)) if !list.is_empty() => return Err(differs(field)),
            Some(Inside::List(_)) => Some("[]"),
            Some(Inside::Value(text)) => Some(&**text),
            None => None,
        };
        let text = edited(current, below, inside, field)?;
        let content = text.map(|text| {
            if inside.is_list() && text == "[]" { Inside::List(Vec::new()) } else { Inside::Value(text) }
        });
        match (at, content) {
            (Some(at), Some(content)) => node.members[at].1 = content,
            (Some(at), None) => drop(node.members.remove(at)),
            (None, Some(content)) => node.members.push((key.to_string(), content)),
            (None, None) => {}
        }
        self.mark(index);
        Ok(())
    }

    /// Puts a part where it belongs.
    ///
    /// It must be in no list: what is put somewhere twice could be put into itself.
    pub(super) fn insert(&mut self, target: &[Step], index: Index) -> Result<(), ApplyError> {
        let (parent, list, position) = self.target(target)?;
        if !std::mem::take(&mut self.nodes[index].is_detached) {
            return Err(missing(target));
        }
        match &mut self.nodes[parent].members[list].1 {
            Inside::List(list) if position <= list.len() => list.insert(position, index),
            _ => return Err(missing(target)),
        }
        self.nodes[index].parent = parent;
        self.mark(parent);
        Ok(())
    }

    pub(super) fn insert_new(&mut self, target: &[Step], value: &'a str) -> Result<(), ApplyError> {
        let (parent, list, _) = self.target(target)?;
        let parent = &self.nodes[parent];
        let place = parent.place.member(&parent.members[list].0).element();
        let index = self.take(&Tree::of(value, place)?);
        self.nodes[index].is_detached = true;
        self.insert(target, index)
    }

    /// The node, its list and the position in it that a pointer means.
    fn target(&self, target: &[Step]) -> Result<(Index, usize, usize), ApplyError> {
        let mut at = ROOT;
        let mut steps = target.chunks_exact(2).peekable();
        while let Some([Step::Key(key), Step::Position(position)]) = steps.next() {
            let node = &self.nodes[at];
            let list = node.members.iter().position(|(name, _)| name == key);
            let Some((list, Inside::List(children))) = list.map(|list| (list, &node.members[list].1)) else {
                break;
            };
            if steps.peek().is_none() {
                return Ok((at, list, *position));
            }
            match children.get(*position) {
                Some(&child) => at = child,
                None => break,
            }
        }
        Err(missing(target))
    }

    /// Notes that the texts of a node and of those around it do not hold any more.
    fn mark(&mut self, index: Index) {
        let mut at = index;
        loop {
            self.nodes[at].is_changed = true;
            if at == ROOT {
                break;
            }
            at = self.nodes[at].parent;
        }
    }

    pub(super) fn text(&self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes);
        self.write(ROOT, &mut text);
        text
    }

    fn write(&self, index: Index, text: &mut String) {
        let node = &self.nodes[index];
        if !node.is_changed {
            text.push_str(node.text);
            return;
        }
        text.push('{');
        for (at, (key, inside)) in node.members.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&quoted(key));
            text.push(':');
            match inside {
                Inside::Value(value) => text.push_str(value),
                Inside::List(list) => {
                    text.push('[');
                    for (at, &child) in list.iter().enumerate() {
                        if at > 0 {
                            text.push(',');
                        }
                        self.write(child, text);
                    }
                    text.push(']');
                }
            }
        }
        text.push('}');
    }
}

/// The text of a value in which a field is another.
fn edited<'a>(
    current: Option<&str>,
    below: &[Cow<'_, str>],
    place: Place,
    field: &'a FieldChange,
) -> Result<Option<Cow<'a, str>>, ApplyError> {
    let [key, below @ ..] = below else {
        let is_as_before = match (current, &field.before) {
            (Some(current), Some(before)) => same(current, before.get(), place),
            (None, None) => true,
            _ => false,
        };
        let after = field.after.as_ref().map(|after| Cow::Borrowed(after.get()));
        return if is_as_before { Ok(after) } else { Err(differs(field)) };
    };
    let mut members = current.and_then(members).ok_or_else(|| differs(field))?;
    let at = members.iter().position(|member| member.key == *key);
    let value = edited(at.map(|at| members[at].value), below, place.object().member(key), field)?;
    let mut text = String::from("{");
    let mut add = |key: &str, value: &str| {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&quoted(key));
        text.push(':');
        text.push_str(value);
    };
    for (index, member) in members.drain(..).enumerate() {
        match &value {
            Some(value) if at == Some(index) => add(&member.key, value),
            None if at == Some(index) => {}
            _ => add(&member.key, member.value),
        }
    }
    if let (None, Some(value)) = (at, &value) {
        add(key, value);
    }
    text.push('}');
    Ok(Some(Cow::Owned(text)))
}

fn differs(field: &FieldChange) -> ApplyError {
    ApplyError::Differs { pointer: field.path.clone() }
}

fn missing(target: &[Step]) -> ApplyError {
    let steps = target.iter().map(|step| match step {
        Step::Position(position) => format!("/{position}"),
        Step::Key(key) => format!("/{key}"),
    });
    ApplyError::Missing { pointer: steps.collect() }
}
