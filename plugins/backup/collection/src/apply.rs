//! Makes the second collection of the first and the difference.

mod draft;

use thiserror::Error;

use self::draft::Draft;
use crate::{
    diff::{Change, Diff, How},
    json::{DEPTH_MAX, Reader, Unreadable},
    tree::{Index, ROOT, Tree, segments},
};

/// Why a difference cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the collection has nothing at {pointer}: this is not the collection that was compared")]
    Missing { pointer: String },
    #[error("{pointer} is not what it was: this is not the collection that was compared")]
    Differs { pointer: String },
    #[error("a change has no place or no value: {place}")]
    Incomplete { place: String },
}

/// Applies a difference to the first of the two collections that were compared.
///
/// The result says what the second one says: its canonical hash is the same. Ids of parts that were there are those of the
/// first. What did not change is copied byte for byte.
///
/// # Errors
/// When `before` cannot be read, or is not the collection that was compared.
pub fn apply(before: &[u8], diff: &Diff) -> Result<Vec<u8>, ApplyError> {
    if diff.counted() > 0 {
        return Err(ApplyError::Incomplete { place: format!("{} changes in brief", diff.counted()) });
    }
    let tree = Tree::parse(before)?;
    let found = diff.changes.iter().map(|change| match &change.from {
        Some(pointer) => find(&tree, pointer).map(Some),
        None => Ok(None),
    });
    let found: Vec<Option<Index>> = found.collect::<Result<_, _>>()?;
    let mut draft = Draft::new(tree);

    let mut inserts = Vec::new();
    for (change, &from) in diff.changes.iter().zip(&found) {
        match (change.how, from) {
            // The collection itself is in no list.
            (How::Moved | How::Reordered, Some(ROOT)) => return Err(incomplete(change)),
            (How::Removed, Some(ROOT)) if change.fields.is_empty() => return Err(incomplete(change)),
            // With fields it is the authorization of a part that was added or removed, not the part.
            (How::Removed, Some(index)) if change.fields.is_empty() => draft.detach(index),
            (How::Moved | How::Reordered, Some(index)) => {
                draft.detach(index);
                inserts.push((target(change)?, change, Some(index)));
            }
            (How::Added, None) => inserts.push((target(change)?, change, None)),
            (How::Added | How::Removed | How::Renamed | How::Changed, Some(_)) => {}
            (_, None) => return Err(incomplete(change)),
        }
    }
    draft.clear();
    for (change, &from) in diff.changes.iter().zip(&found) {
        for field in &change.fields {
            draft.edit(from.ok_or_else(|| incomplete(change))?, field)?;
        }
    }
    // From the top and from the front: then whatever a pointer passes through is in its final place already.
    inserts.sort_by(|one, other| one.0.cmp(&other.0));
    for (target, change, index) in inserts {
        match (index, &change.value) {
            (Some(index), _) => draft.insert(&target, index)?,
            (None, Some(value)) => draft.insert_new(&target, value.get())?,
            (None, None) => return Err(incomplete(change)),
        }
    }

    let text = draft.text(before.len());
    let mut reader = Reader::new(&text);
    reader.skip()?;
    Ok(text.into_bytes())
}

/// A part of a JSON pointer, so that the tenth stands behind the second.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Position(usize),
    Key(String),
}

fn target(change: &Change) -> Result<Vec<Step>, ApplyError> {
    let pointer = change.to.as_deref().ok_or_else(|| incomplete(change))?;
    let steps = segments(pointer).enumerate().map(|(at, segment)| match segment.parse() {
        Ok(position) if at % 2 == 1 => Step::Position(position),
        _ => Step::Key(segment.into_owned()),
    });
    let steps: Vec<Step> = steps.collect();
    if steps.is_empty() || steps.len() > DEPTH_MAX as usize {
        return Err(incomplete(change));
    }
    Ok(steps)
}

fn incomplete(change: &Change) -> ApplyError {
    ApplyError::Incomplete { place: change.place.join(" › ") }
}

fn find(tree: &Tree<'_>, pointer: &str) -> Result<Index, ApplyError> {
    let missing = || ApplyError::Missing { pointer: pointer.to_owned() };
    let mut at = ROOT;
    let mut steps = segments(pointer);
    while let Some(list) = steps.next() {
        let position = steps.next().and_then(|position| position.parse::<usize>().ok());
        let list = tree.node(at).list(&list);
        at = list.zip(position).and_then(|(list, at)| list.get(at)).ok_or_else(missing)?;
    }
    Ok(at)
}

#[cfg(test)]
mod tests;
