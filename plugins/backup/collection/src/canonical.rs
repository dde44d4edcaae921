//! What a value says, as a hash: of two values that say the same, the hashes are equal.
//!
//! The order of keys, blanks, the way a string is escaped and what Postman generates do not count; the order of arrays and
//! how a number is written do. An object hashes its sorted members and an array its elements, in which longer values stand
//! by their own hashes, so nothing is held but the keys of the objects that are open.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::{
    json::{Next, Reader, Unreadable, decode},
    place::Place,
};

/// SHA-256.
pub type Hash = [u8; 32];

/// Ends a string or number among others: a byte that no text has.
const END: &[u8] = &[0xff];

/// A value that was read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value<'a> {
    /// The text of what is neither object nor array.
    Scalar(&'a str),
    Array(Hash),
    Object(Hash),
}

/// A member of an object that was read.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    key: Cow<'a, [u8]>,
    pub(crate) value: Value<'a>,
}

/// Sees every object when all of it was read.
pub(crate) trait Observer {
    fn object(&mut self, place: Place, members: &[Entry<'_>]);
}

/// Looks away.
impl Observer for () {
    fn object(&mut self, _: Place, _: &[Entry<'_>]) {}
}

/// The hash of a value that stands in this place. What is no JSON has the hash of nothing.
pub(crate) fn digest(value_text: &str, place: Place) -> Hash {
    let mut hash = Sha256::new();
    if let Ok(value) = value(&mut Reader::new(value_text), place, &mut ()) {
        value.feed(&mut hash);
    }
    hash.finalize().into()
}

/// Whether two values that stand in this place say the same.
pub(crate) fn same(one: &str, other: &str, place: Place) -> bool {
    one == other || digest(one, place) == digest(other, place)
}

/// Reads a value.
pub(crate) fn value<'a, O: Observer>(
    reader: &mut Reader<'a>,
    place: Place,
    observer: &mut O,
) -> Result<Value<'a>, Unreadable> {
    match reader.next()? {
        Next::Object => object(reader, place.object(), observer).map(Value::Object),
        Next::Array => {
            let mut hash = Sha256::new();
            reader.array(|reader| {
                value(reader, place.element(), observer)?.feed(&mut hash);
                Ok(())
            })?;
            Ok(Value::Array(hash.finalize().into()))
        }
        Next::String | Next::Other => reader.scalar().map(Value::Scalar),
    }
}

fn object<'a, O: Observer>(
    reader: &mut Reader<'a>,
    place: Place,
    observer: &mut O,
) -> Result<Hash, Unreadable> {
    let mut entries = Vec::new();
    reader.object(|reader, key| {
        let key = key_bytes(key);
        let inside = std::str::from_utf8(&key).map_or(Place::Plain, |key| place.member(key));
        let value = value(reader, inside, observer)?;
        entries.push(Entry { key, value });
        Ok(())
    })?;
    // Stable, so that of equal keys the last one in the text is the last one here.
    entries.sort_by(|one: &Entry<'_>, other| one.key.cmp(&other.key));
    entries.dedup_by(|later, earlier| {
        let repeated = later.key == earlier.key;
        if repeated {
            earlier.value = later.value;
        }
        repeated
    });
    observer.object(place, &entries);
    let has_key = find(&entries, "key").is_some();
    let mut hash = Sha256::new();
    for entry in &entries {
        let key = std::str::from_utf8(&entry.key);
        if key.is_ok_and(|key| place.generated(key, has_key).is_some()) {
            continue;
        }
        hash.update(&entry.key);
        hash.update(END);
        entry.value.feed(&mut hash);
    }
    Ok(hash.finalize().into())
}

/// The value of a member among those that an [`Observer`] sees.
pub(crate) fn find<'a>(members: &[Entry<'a>], key: &str) -> Option<Value<'a>> {
    let at = members.binary_search_by(|entry| (*entry.key).cmp(key.as_bytes())).ok()?;
    Some(members[at].value)
}

fn key_bytes(token: &str) -> Cow<'_, [u8]> {
    let inside = &token[1..token.len() - 1];
    if !inside.contains('\\') {
        return Cow::Borrowed(inside.as_bytes());
    }
    let mut bytes = Vec::with_capacity(inside.len());
    decode(inside, |piece| bytes.extend_from_slice(piece));
    Cow::Owned(bytes)
}

impl Value<'_> {
    /// Tells a hash about this value, so that no two rows of values tell it the same bytes.
    fn feed(self, hash: &mut Sha256) {
        match self {
            Self::Object(inside) => {
                hash.update(b"{");
                hash.update(inside);
            }
            Self::Array(inside) => {
                hash.update(b"[");
                hash.update(inside);
            }
            Self::Scalar(token) => match token.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
                Some(inside) => {
                    hash.update(b"\"");
                    decode(inside, |piece| hash.update(piece));
                    hash.update(END);
                }
                None => {
                    hash.update(token);
                    hash.update(END);
                }
            },
        }
    }
}

#[cfg(test)]
mod tests;
