//! Objects and arrays as lists of slices.

use std::{borrow::Cow, cmp::Ordering};

use super::{Next, Reader, strings::text};

/// A member of an object.
#[derive(Debug, Clone)]
pub(crate) struct Member<'a> {
    pub(crate) key: Cow<'a, str>,
    /// The text of the value.
    pub(crate) value: &'a str,
}

/// The members of an object in the order of its text; of a repeated key the last value counts. `None` for what is no
/// object, or has a key that no Rust string can hold.
pub(crate) fn members(object: &str) -> Option<Vec<Member<'_>>> {
    let mut reader = Reader::new(object);
    if reader.next().ok()? != Next::Object {
        return None;
    }
    let (mut members, mut odd) = (Vec::new(), false);
    let read = reader.object(|reader, key| {
        let value = reader.skip()?;
        match text(key) {
            Some(key) => members.push(Member { key, value }),
            None => odd = true,
        }
        Ok(())
    });
    if read.is_err() || odd {
        return None;
    }
    last_of_each(&mut members, |one, other| one.key.cmp(&other.key));
    Some(members)
}

/// Leaves the last of those with the same key, in the place of the first, as `JSON.parse` does.
pub(crate) fn last_of_each<T>(list: &mut Vec<T>, by_key: impl Fn(&T, &T) -> Ordering) {
    let mut sorted: Vec<usize> = (0..list.len()).collect();
    sorted.sort_by(|&one, &other| by_key(&list[one], &list[other]).then(one.cmp(&other)));
    let mut stale = Vec::new();
    for pair in sorted.windows(2).rev() {
        if by_key(&list[pair[0]], &list[pair[1]]).is_eq() {
            list.swap(pair[0], pair[1]);
            stale.resize(list.len(), false);
            stale[pair[1]] = true;
        }
    }
    if !stale.is_empty() {
        let mut stale = stale.into_iter();
        list.retain(|_| !stale.next().unwrap_or_default());
    }
}

/// The value of a member.
pub(crate) fn member<'a>(object: &'a str, key: &str) -> Option<&'a str> {
    members(object)?.into_iter().find(|member| member.key == key).map(|member| member.value)
}

/// The elements of an array; `None` for what is no array.
pub(crate) fn elements(array: &str) -> Option<Vec<&str>> {
    let mut reader = Reader::new(array);
    if reader.next().ok()? != Next::Array {
        return None;
    }
    let mut elements = Vec::new();
    reader.array(|reader| reader.skip().map(|element| elements.push(element))).ok()?;
    Some(elements)
}
