//! A collection as its parts, each a slice of the text: memory for pointers only.

use std::{
    borrow::Cow,
    fmt::{self, Write as _},
};

use crate::{
    json::{Next, Reader, Unreadable, collection, last_of_each, lossy, member, text},
    place::Place,
};

/// A collection taken apart into folders, requests, examples, scripts and variables.
pub struct Tree<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
}

/// Of what is in it may be secret: this shows how much there is.
impl fmt::Debug for Tree<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Tree of {} parts", self.nodes.len())
    }
}

/// The place of a node in [`Tree::nodes`].
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
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    /// All of it, with what is below it.
    pub(crate) text: &'a str,
    pub(crate) parent: Index,
    /// The list of the parent that it is in, and where; of no meaning for the collection itself.
    pub(crate) list: Cow<'a, str>,
    pub(crate) position: usize,
    pub(crate) members: Vec<Part<'a>>,
}

/// A member of a node.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    pub(crate) key: Cow<'a, str>,
    pub(crate) content: Content<'a>,
}

#[derive(Debug)]
pub(crate) enum Content<'a> {
    Value(&'a str),
    List(Vec<Index>),
}

impl<'a> Tree<'a> {
    /// Takes a collection apart.
    ///
    /// # Errors
    /// When the bytes are no JSON object in UTF-8, or one that is too deep.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let mut tree = Self { nodes: Vec::new() };
        let mut reader = Reader::new(collection(bytes)?);
        tree.node(&mut reader, Place::Collection, (ROOT, Cow::Borrowed(""), 0))?;
        reader.end()?;
        Ok(tree)
    }

    /// A node without a document around it.
    pub(crate) fn of(text: &'a str, place: Place) -> Result<Self, Unreadable> {
        let mut tree = Self { nodes: Vec::new() };
        let mut reader = Reader::new(text);
        tree.node(&mut reader, place, (ROOT, Cow::Borrowed(""), 0))?;
        reader.end()?;
        Ok(tree)
    }

    fn node(
        &mut self,
        reader: &mut Reader<'a>,
        place: Place,
        (parent, list, position): (Index, Cow<'a, str>, usize),
    ) -> Result<Index, Unreadable> {
        let index = self.nodes.len();
        let odd = Node { kind: Kind::Odd, place, text: "", parent, list, position, members: Vec::new() };
        self.nodes.push(odd);
        if reader.next()? != Next::Object {
            self.nodes[index].text = reader.skip()?;
            return Ok(index);
        }
        let mut members: Vec<Part<'a>> = Vec::new();
        let start = reader.clone();
        reader.object(|reader, key| {
            let at = reader.at();
            let key = text(key).ok_or(Unreadable::OddKey { at })?;
            let inside = place.member(&key);
            let content = if inside.is_list() && reader.next()? == Next::Array {
                let mut list = Vec::new();
                reader.array(|reader| {
                    let child = (index, key.clone(), list.len());
                    list.push(self.node(reader, inside.element(), child)?);
                    Ok(())
                })?;
                Content::List(list)
            } else {
                Content::Value(reader.skip()?)
            };
            members.push(Part { key, content });
            Ok(())
        })?;
        last_of_each(&mut members, |part| &part.key);
        let node = &mut self.nodes[index];
        node.text = reader.since(start);
        let has_items =
            members.iter().any(|part| part.key == "item" && matches!(part.content, Content::List(_)));
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
        node.members = members;
        Ok(index)
    }

    /// The nodes from a node up to the collection, which is not among them, from the top.
    pub(crate) fn way(&self, node: Index) -> Vec<Index> {
        let mut way = Vec::new();
        let mut at = node;
        while at != ROOT {
            way.push(at);
            at = self.nodes[at].parent;
        }
        way.reverse();
        way
    }

    /// The JSON pointer of a node, from the collection on.
    pub(crate) fn pointer(&self, node: Index) -> String {
        let mut pointer = String::new();
        for index in self.way(node) {
            let node = &self.nodes[index];
            // Nothing fails that writes to a string.
            let _ = write!(pointer, "/{}/{}", escaped(&node.list), node.position);
        }
        pointer
    }

    /// The names from the top down to a node, for people.
    pub(crate) fn names(&self, node: Index) -> Vec<String> {
        self.way(node).into_iter().map(|index| self.nodes[index].name()).collect()
    }

    /// All nodes that are still part of the tree, each behind its parent: a list that a repeated key replaced is not.
    pub(crate) fn preorder(&self) -> Vec<Index> {
        let mut order = Vec::with_capacity(self.nodes.len());
        let mut stack = vec![ROOT];
        while let Some(index) = stack.pop() {
            order.push(index);
            let lists = self.nodes[index].members.iter().rev().filter_map(|part| match &part.content {
                Content::List(list) => Some(list),
                Content::Value(_) => None,
            });
            stack.extend(lists.flat_map(|list| list.iter().rev()));
        }
        order
    }
}

impl<'a> Node<'a> {
    /// The value of a member that is no list of nodes.
    pub(crate) fn value(&self, key: &str) -> Option<&'a str> {
        self.members.iter().find(|part| part.key == key).and_then(|part| match part.content {
            Content::Value(value) => Some(value),
            Content::List(_) => None,
        })
    }

    pub(crate) fn list(&self, key: &str) -> Option<&[Index]> {
        self.members.iter().find(|part| part.key == key).and_then(|part| match &part.content {
            Content::List(list) => Some(&list[..]),
            Content::Value(_) => None,
        })
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
