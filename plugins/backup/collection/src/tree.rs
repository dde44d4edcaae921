//! A collection as its parts, each a slice of the text: memory for some numbers only, a third of what the text takes at most.

mod packed;

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use self::packed::{Key, PackedNode, PackedPart, Span, number};
use crate::{
    json::{Next, Reader, Unreadable, collection, last_of_each, lossy, member, text},
    place::Place,
};

/// A collection taken apart into folders, requests, examples, scripts and variables.
pub struct Tree<'a> {
    text: &'a str,
    nodes: Vec<PackedNode>,
    parts: Vec<PackedPart>,
    /// The elements of all lists, each list in a row.
    elements: Vec<u32>,
    /// Keys that are written with escapes.
    odd_keys: Vec<String>,
}

/// Of what is in it may be secret: this shows how much there is.
impl fmt::Debug for Tree<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tree of {} parts", self.nodes.len())
    }
}

/// The number of a node of a [`Tree`].
pub(crate) type Index = usize;

/// The collection itself.
pub(crate) const ROOT: Index = 0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Kind {
    Collection,
    Folder,
    Request,
    Example,
    Script,
    Variable,
    /// An element of a list that is no object.
    Odd,
}

/// A part that has a life of its own: it is added, moved, renamed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'t, 'a> {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    /// All of it, with what is below it.
    pub(crate) text: &'a str,
    pub(crate) parent: Index,
    /// The list of the parent that it is in, and where; of no meaning for the collection itself.
    pub(crate) list: &'t str,
    pub(crate) position: usize,
    tree: &'t Tree<'a>,
    parts: &'t [PackedPart],
}

/// A member of a node.
#[derive(Debug)]
pub(crate) struct Part<'t, 'a> {
    pub(crate) key: &'t str,
    pub(crate) content: Content<'t, 'a>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Content<'t, 'a> {
    Value(&'a str),
    List(List<'t>),
}

/// The nodes in a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List<'t>(&'t [u32]);

impl<'t> List<'t> {
    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    pub(crate) fn get(self, position: usize) -> Option<Index> {
        self.0.get(position).map(|&index| index as Index)
    }

    pub(crate) fn iter(self) -> impl DoubleEndedIterator<Item = Index> + 't {
        self.0.iter().map(|&index| index as Index)
    }
}

impl<'a> Tree<'a> {
    /// Takes a collection apart.
    ///
    /// # Errors
    /// When the bytes are no JSON object in UTF-8, or one that is too deep or too long.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        Self::of(collection(bytes)?, Place::Collection)
    }

    /// A node without a document around it.
    pub(crate) fn of(text: &'a str, place: Place) -> Result<Self, Unreadable> {
        if u32::try_from(text.len()).is_err() {
            return Err(Unreadable::TooLong);
        }
        let (nodes, parts, elements, odd_keys) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut tree = Self { text, nodes, parts, elements, odd_keys };
        let mut reader = Reader::new(text);
        tree.read(&mut reader, place, (ROOT, Key::NONE, 0))?;
        reader.end()?;
        Ok(tree)
    }

    fn read(
        &mut self,
        reader: &mut Reader<'a>,
        place: Place,
        (parent, list, position): (Index, Key, usize),
    ) -> Result<Index, Unreadable> {
        let index = self.nodes.len();
        self.nodes.push(PackedNode {
            kind: Kind::Odd,
            place,
            text: Span::NONE,
            parent: number(parent),
            list,
            position: number(position),
            parts: Span::NONE,
        });
        if reader.next()? != Next::Object {
            self.nodes[index].text = Span::of(reader.skip()?, self.text);
            return Ok(index);
        }
        let mut members: Vec<PackedPart> = Vec::new();
        let start = reader.clone();
        reader.object(|reader, token| {
            let at = reader.at();
            let name = text(token).ok_or(Unreadable::OddKey { at })?;
            let inside = place.member(&name);
            let key = self.key_of(token, name);
            members.push(if inside.is_list() && reader.next()? == Next::Array {
                let mut list = Vec::new();
                reader.array(|reader| {
                    let element = (index, key, list.len());
                    list.push(number(self.read(reader, inside.element(), element)?));
                    Ok(())
                })?;
                let content = Span::new(self.elements.len(), list.len());
                self.elements.extend(list);
                PackedPart { key, content, is_list: true }
            } else {
                PackedPart { key, content: Span::of(reader.skip()?, self.text), is_list: false }
            });
            Ok(())
        })?;
        last_of_each(&mut members, |one, other| self.key(one.key).cmp(self.key(other.key)));
        let has_items = members.iter().any(|part| part.is_list && self.key(part.key) == "item");
        let parts = Span::new(self.parts.len(), members.len());
        self.parts.extend(members);
        let text = Span::of(reader.since(start), self.text);
        let node = &mut self.nodes[index];
        (node.text, node.parts) = (text, parts);
        node.kind = match place {
            Place::Collection => Kind::Collection,
            Place::Item if has_items => Kind::Folder,
            Place::Folder1 => Kind::Folder,
            Place::Item | Place::Request1 => Kind::Request,
            Place::Example | Place::Example1 => Kind::Example,
            Place::Script => Kind::Script,
            Place::Variable => Kind::Variable,
            _ => Kind::Odd,
        };
        Ok(index)
    }

    fn key_of(&mut self, token: &str, name: Cow<'_, str>) -> Key {
        match name {
            Cow::Borrowed(_) => Key::written(Span::of(&token[1..token.len() - 1], self.text)),
            Cow::Owned(name) => {
                self.odd_keys.push(name);
                Key::odd(self.odd_keys.len() - 1)
            }
        }
    }

    fn key(&self, key: Key) -> &str {
        match key.place() {
            Ok(written) => &self.text[written],
            Err(odd) => &self.odd_keys[odd],
        }
    }

    /// How many nodes there are, with those of lists that a repeated key replaced.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(crate) fn node(&self, index: Index) -> Node<'_, 'a> {
        let node = &self.nodes[index];
        Node {
            kind: node.kind,
            place: node.place,
            text: &self.text[node.text.range()],
            parent: node.parent as Index,
            list: self.key(node.list),
            position: node.position as usize,
            tree: self,
            parts: &self.parts[node.parts.range()],
        }
    }

    /// The nodes from a node up to the collection, which is not among them, from the top.
    pub(crate) fn way(&self, node: Index) -> Vec<Index> {
        let mut way = Vec::new();
        let mut at = node;
        while at != ROOT {
            way.push(at);
            at = self.nodes[at].parent as Index;
        }
        way.reverse();
        way
    }

    /// The JSON pointer of a node, from the collection on.
    pub(crate) fn pointer(&self, node: Index) -> String {
        let mut pointer = String::new();
        for index in self.way(node) {
            let node = self.node(index);
            // Nothing fails that writes to a string.
            let _ = write!(pointer, "/{}/{}", escaped(node.list), node.position);
        }
        pointer
    }

    /// The names from the top down to a node, for people.
    pub(crate) fn names(&self, node: Index) -> Vec<String> {
        self.way(node).into_iter().map(|index| self.node(index).name()).collect()
    }

    /// All nodes that are still part of the tree, each behind its parent: a list that a repeated key replaced is not.
    pub(crate) fn preorder(&self) -> Vec<Index> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut stack = vec![ROOT];
        while let Some(index) = stack.pop() {
            order.push(index);
            let lists = self.node(index).parts().rev().filter_map(|part| part.content.list());
            stack.extend(lists.flat_map(|list| list.iter().rev()));
        }
        order
    }
}

impl<'t, 'a> Node<'t, 'a> {
    /// Its members, in the order of the text; of a repeated key there is one.
    pub(crate) fn parts(&self) -> impl DoubleEndedIterator<Item = Part<'t, 'a>> + use<'t, 'a> {
        let tree = self.tree;
        self.parts.iter().map(move |part| Part { key: tree.key(part.key), content: part.content_in(tree) })
    }

    fn content(&self, key: &str) -> Option<Content<'t, 'a>> {
        let tree = self.tree;
        self.parts.iter().find(|part| tree.key(part.key) == key).map(|part| part.content_in(tree))
    }

    /// The value of a member that is no list of nodes.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        match self.content(key)? {
            Content::Value(value) => Some(value),
            Content::List(_) => None,
        }
    }

    pub(crate) fn list(&self, key: &str) -> Option<List<'t>> {
        self.content(key)?.list()
    }

    /// What people call it.
    pub(crate) fn name(&self) -> String {
        self.written_name().map_or_else(|| self.kind.unnamed().to_owned(), Cow::into_owned)
    }

    /// The name that it has in its text.
    pub(crate) fn written_name(&self) -> Option<Cow<'a, str>> {
        let value = |key: &str| self.value(key).and_then(lossy).filter(|name| !name.is_empty());
        match self.kind {
            Kind::Collection => {
                self.value("info").and_then(|info| lossy(member(info, "name")?)).or_else(|| value("name"))
            }
            Kind::Script => value("listen"),
            Kind::Variable => value("key").or_else(|| value("id")).or_else(|| value("name")),
            Kind::Folder | Kind::Request | Kind::Example => value("name"),
            Kind::Odd => None,
        }
    }

    /// The id that Postman gave it.
    pub(crate) fn id(&self) -> Option<Cow<'a, str>> {
        let own = ["id", "_postman_id", "uid"].into_iter().find_map(|key| lossy(self.value(key)?));
        let hidden = || lossy(member(self.value("_")?, "postman_id")?);
        let source = || lossy(member(self.value("script")?, "id")?);
        own.or_else(hidden).or_else(source).filter(|id| !id.is_empty())
    }

    /// The pointer of the member that is its name, from the node on.
    pub(crate) fn name_pointer(&self) -> &'static str {
        match self.kind {
            Kind::Collection if self.value("info").is_some() => "/info/name",
            Kind::Variable if self.value("key").is_some() => "/key",
            Kind::Variable if self.value("id").is_some() => "/id",
            Kind::Script => "/listen",
            _ => "/name",
        }
    }
}

impl PackedPart {
    fn content_in<'t, 'a>(&self, tree: &'t Tree<'a>) -> Content<'t, 'a> {
        match self.is_list {
            true => Content::List(List(&tree.elements[self.content.range()])),
            false => Content::Value(&tree.text[self.content.range()]),
        }
    }
}

impl<'t> Content<'t, '_> {
    /// The nodes, if it is a list of them.
    pub(crate) fn list(self) -> Option<List<'t>> {
        match self {
            Self::Value(_) => None,
            Self::List(list) => Some(list),
        }
    }
}

impl Kind {
    fn unnamed(self) -> &'static str {
        match self {
            Self::Collection => "unnamed collection",
            Self::Folder => "unnamed folder",
            Self::Request => "unnamed request",
            Self::Example => "unnamed example",
            Self::Script => "unnamed script",
            Self::Variable => "unnamed variable",
            Self::Odd => "unknown element",
        }
    }
}

/// A key as a part of a JSON pointer.
pub(crate) fn escaped(key: &str) -> Cow<'_, str> {
    if key.contains(['~', '/']) {
        Cow::Owned(key.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(key)
    }
}

/// The keys of a JSON pointer.
pub(crate) fn segments(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(|segment| {
        if segment.contains('~') {
            Cow::Owned(segment.replace("~1", "/").replace("~0", "~"))
        } else {
            Cow::Borrowed(segment)
        }
    })
}

#[cfg(test)]
mod tests;
